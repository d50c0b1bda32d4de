using System.Globalization;
using Dom.Train.Memorization;

namespace Dom.Train.Tests.Memorization;

public class LedgerAnalysisTests
{
    private const float NaN = float.NaN;

    // Five samples, six epochs: always right; learned, forgotten, learned; never learned; learned late; forgotten for good twice.
    private static readonly float[][] s_correct =
    [
        [1, 0, 0, 0, 1],
        [1, 1, 0, 0, 0],
        [1, 0, 0, 0, 1],
        [1, 1, 0, 0, 1],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 1, 0],
    ];

    private static string NewFolder() => Path.Combine(TestContext.CurrentContext.WorkDirectory, "ledger-" + TestContext.CurrentContext.Test.ID);

    private static LedgerStore TwoEpochs(bool labels)
    {
        var store = LedgerStore.Create(NewFolder(), 4, [LedgerColumns.NaturalCorrect, LedgerColumns.NaturalLoss], overwrite: true);
        if (labels)
        {
            store.WriteStatic(LedgerColumns.GivenLabel, [0, 1, 2, 3]);
            store.WriteStatic(LedgerColumns.TrueLabel, [0, 1, 5, 3]);
        }
        store.Append(new Dictionary<string, float[]> { [LedgerColumns.NaturalLoss] = [0.1f, 0.3f, 2.5f, NaN], [LedgerColumns.NaturalCorrect] = [1, 1, 0, 0] });
        store.Append(new Dictionary<string, float[]> { [LedgerColumns.NaturalLoss] = [0.125f, 0, 0.25f, 0.0625f], [LedgerColumns.NaturalCorrect] = [1, 1, 1, 0] });
        return store;
    }

    [Test]
    public void An_edge_belongs_to_the_range_above_it_and_the_last_range_is_open()
    {
        var ranges = new LossRanges(0.5f, 1f);
        var shares = ranges.SharesOf([0, 0.49f, 0.5f, 1, float.PositiveInfinity, NaN, -1e-7f, 0.99f]);
        Assert.That(shares.Shares, Is.EqualTo(new[] { 3 / 8.0, 2 / 8.0, 2 / 8.0 }));
        Assert.That(shares.NotANumber, Is.EqualTo(1 / 8.0));
        Assert.That(Enumerable.Range(0, ranges.Count).Select(ranges.Label), Is.EqualTo(new[] { "0..0.5", "0.5..1", "1.." }));
        Assert.That(LossRanges.Natural.Count, Is.EqualTo(6));
        Assert.That(LossRanges.Adversarial.Label(5), Is.EqualTo("2.5.."));
    }

    [Test]
    public void Shares_of_a_group_are_among_the_group_alone()
    {
        var shares = new LossRanges(1f).SharesOf([0, 5, 5, 0], [true, true, false, false]);
        Assert.That(shares.Shares, Is.EqualTo(new[] { 0.5, 0.5 }));
        Assert.That(new LossRanges(1f).SharesOf([0f], [false]).Shares, Is.EqualTo(new[] { 0.0, 0.0 }));
    }

    [Test]
    public void Edges_that_do_not_ascend_are_refused()
    {
        Assert.That(() => new LossRanges(), Throws.ArgumentException);
        Assert.That(() => new LossRanges(0f), Throws.ArgumentException);
        Assert.That(() => new LossRanges(1f, 1f), Throws.ArgumentException);
        Assert.That(() => new LossRanges(1f, NaN), Throws.ArgumentException);
        Assert.That(() => new LossRanges(1f).SharesOf([1f, 2f], [true]), Throws.ArgumentException);
    }

    [Test]
    public void A_summary_gives_mean_loss_accuracy_shares_and_high_confidence_by_label()
    {
        var summary = LedgerSummary.Compute(TwoEpochs(labels: true), LossRanges.Natural, 0.2f);
        Assert.That(summary.Select(s => s.Epoch), Is.EqualTo(new[] { 0, 1 }));
        var (all, right, wrong) = (summary[0].All, summary[0].RightLabels!, summary[0].WrongLabels!);
        Assert.That((all.Samples, right.Samples, wrong.Samples), Is.EqualTo((4, 3, 1)));
        Assert.That(all.MeanLoss, Is.EqualTo((0.1 + 0.3 + 2.5) / 3).Within(1e-7)); // the NaN is not in the mean
        Assert.That(all.Accuracy, Is.EqualTo(0.5));
        Assert.That(all.HighConfidence, Is.EqualTo(0.25));
        Assert.That(all.Ranges.Shares, Is.EqualTo(new[] { 0.25, 0.25, 0, 0, 0, 0.25 }));
        Assert.That(all.Ranges.NotANumber, Is.EqualTo(0.25));
        Assert.That(right.Accuracy, Is.EqualTo(2 / 3.0));
        Assert.That(wrong.MeanLoss, Is.EqualTo(2.5));
        Assert.That(summary[1].All.MeanLoss, Is.EqualTo(0.4375 / 4));
        Assert.That(summary[1].All.HighConfidence, Is.EqualTo(0.75));
        Assert.That(summary[1].WrongLabels!.Accuracy, Is.EqualTo(1));
    }

    [Test]
    public void Without_wrong_labels_there_is_no_split() =>
        Assert.That(LedgerSummary.Compute(TwoEpochs(labels: false), LossRanges.Natural, 0.2f)[0].WrongLabels, Is.Null);

    [Test]
    public void A_table_has_a_line_a_sample_and_epoch_and_floats_that_read_back()
    {
        using var writer = new StringWriter();
        LedgerCsv.Export(TwoEpochs(labels: true), writer, firstEpoch: 0, endEpoch: 1);
        Assert.That(writer.ToString(), Is.EqualTo("""
            epoch,sample,given_label,true_label,natural_loss,natural_correct
            0,0,0,0,0.1,1
            0,1,1,1,0.3,1
            0,2,2,5,2.5,0
            0,3,3,3,NaN,0

            """.ReplaceLineEndings("\n")));

        var odd = LedgerStore.Create(NewFolder() + "-odd", 3, ["x"], overwrite: true);
        float[] values = [float.Epsilon, -1.2345678e-30f, MathF.PI];
        odd.Append(new Dictionary<string, float[]> { ["x"] = values });
        using var second = new StringWriter();
        LedgerCsv.Export(odd, second);
        var lines = second.ToString().Split('\n');
        Assert.That(lines[0], Is.EqualTo("epoch,sample,x"));
        Assert.That(lines[1..4].Select(l => float.Parse(l.Split(',')[2], CultureInfo.InvariantCulture)), Is.EqualTo(values));
        Assert.That(() => LedgerCsv.Export(odd, second, 0, 2), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void A_sample_is_over_memorized_from_the_first_epoch_below_the_threshold_if_the_warm_up_left_it_above()
    {
        float[][] losses =
        [
            [0.1f, 0.1f, 5f, 5f, 0.1f, 5f], // before: of no matter
            [0.1f, 0.2f, 2f, 2f, NaN, 2f],  // the warm-up ends here
            [0.1f, 0.3f, 1f, 2f, 0.1f, 0.2f],
            [0.1f, 0.1f, 0.19f, 2f, 0.1f, NaN],
            [3.0f, 0.1f, 0.30f, 2f, 0.1f, 0.1f],
        ];
        // The second sample sits on T at the warm-up: "not below", so it counts once it falls below.
        Assert.That(OverMemorization.FirstEpoch(losses, 1, 0.2f), Is.EqualTo(new[] { -1, 3, 3, -1, -1, 4 }));
        Assert.That(() => OverMemorization.FirstEpoch(losses, 5, 0.2f), Throws.ArgumentException);

        const ConfidenceKind none = ConfidenceKind.None, original = ConfidenceKind.Original, transformed = ConfidenceKind.Transformed;
        Assert.That(OverMemorization.Categorize(losses[1], losses[3], 0.2f), Is.EqualTo(new[] { original, transformed, transformed, none, none, none }));
        Assert.That(OverMemorization.Categorize(losses[1], losses[4], 0.2f), Is.EqualTo(new[] { none, transformed, none, none, none, transformed }));
    }

    [Test]
    public void Forgetting_is_counted_from_right_to_wrong_and_first_learning_found()
    {
        Assert.That(SampleScores.ForgettingEvents(s_correct), Is.EqualTo(new[] { 0, 1, 0, 0, 2 }));
        Assert.That(SampleScores.FirstLearned(s_correct), Is.EqualTo(new[] { 0, 1, -1, 4, 0 }));
        Assert.That(SampleScores.ForgettingEvents([]), Is.Empty);
    }

    [Test]
    public void Mean_loss_and_area_under_the_margin_are_means_over_the_epochs()
    {
        float[][] rows = [[1, -2, 0.5f], [2, -3, 0.25f], [6, 5, 0]];
        Assert.That(SampleScores.MeanLoss(rows), Is.EqualTo(new[] { 3, 0, 0.25 }));
        Assert.That(SampleScores.AreaUnderMargin(rows), Is.EqualTo(new[] { 3, 0, 0.25 }));
        Assert.That(() => SampleScores.MeanLoss([[1, 2], [1]]), Throws.ArgumentException.With.Message.Contains("row 1 has 1 samples, row 0 has 2"));
    }
}
