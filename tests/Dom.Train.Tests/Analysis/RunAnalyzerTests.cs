using Dom.Train.Analysis;
using Dom.Train.Memorization;

namespace Dom.Train.Tests.Analysis;

public sealed class RunAnalyzerTests
{
    private const double Tolerance = 1e-6; // the ledger is f32

    private static readonly AnalysisSettings s_settings = new() { Threshold = 0.2f, Warmup = 2, Ranges = new LossRanges(0.2f, 1f), Groups = 3 };

    private ExampleLedgers _ledgers = null!;

    [SetUp]
    public void Open() => _ledgers = new ExampleLedgers();

    [TearDown]
    public void Close() => _ledgers.Dispose();

    [Test]
    public void Ranges_and_high_confidence_are_shares_of_the_samples_in_every_epoch()
    {
        var epochs = Natural().Epochs;
        Assert.That(epochs.Select(e => e.Epoch), Is.EqualTo(new[] { 1, 2, 3, 4, 5 }));
        Assert.That(epochs.Select(e => e.HighConfidence), Is.EqualTo(new[] { 0, 2 / 6.0, 4 / 6.0, 4 / 6.0, 3 / 6.0 }));
        Assert.That(epochs[1].Natural.Shares, Is.EqualTo(new[] { 2 / 6.0, 0, 4 / 6.0 })); // 1.0 belongs to the range above
        Assert.That(epochs[4].Natural.Shares, Is.EqualTo(new[] { 3 / 6.0, 3 / 6.0, 0 })); // 0.2 belongs to the range above
        Assert.That(epochs[1].MeanNaturalLoss, Is.EqualTo(8.25 / 6).Within(Tolerance));
        Assert.That(epochs, Has.All.Matches<EpochAnalysis>(e => e is { Adversarial: null, Overlap: null, ByConfidence: null }));
    }

    [Test]
    public void The_jump_is_that_of_the_share_below_T_around_K()
    {
        var jump = Natural().Jump!;
        Assert.That(jump.Before, Is.Zero);
        Assert.That(jump.After, Is.EqualTo((4 + 4 + 3) / 18.0).Within(1e-12));
    }

    [Test]
    public void Original_is_who_was_confident_in_epoch_K_and_transformed_who_was_not()
    {
        var epochs = Natural().Epochs;
        Assert.That(epochs.Take(2).Select(e => e.Kinds), Has.All.Null, "up to K nothing can have changed since K");
        Assert.That(epochs[2].Kinds, Is.EqualTo(new KindCounts(None: 2, Original: 2, Transformed: 2))); // 4, 5 | 0, 1 | 2, 3
        Assert.That(epochs[3].Kinds, Is.EqualTo(new KindCounts(None: 2, Original: 1, Transformed: 3))); // 1, 5 | 0 | 2, 3, 4
        Assert.That(epochs[4].Kinds, Is.EqualTo(new KindCounts(None: 3, Original: 1, Transformed: 2))); // sample 2 sits on T: not below it
    }

    [Test]
    public void Group_means_follow_the_groups_of_the_epoch_behind_K_and_those_of_each_epoch()
    {
        var epochs = Natural().Epochs;
        Assert.That(epochs[0].Groups, Is.Null);
        Check(epochs[1].Groups!.FixedOriginal, 2, 0.25 / 2); // samples 0 and 1 in epoch 2
        Check(epochs[1].Groups!.FixedTransformed, 2, 3.0 / 2); // samples 2 and 3
        Assert.That((epochs[1].Groups!.CurrentOriginal, epochs[1].Groups!.CurrentTransformed), Is.EqualTo(((GroupMean?)null, (GroupMean?)null)));
        Check(epochs[3].Groups!.FixedOriginal, 2, 0.40 / 2);
        Check(epochs[3].Groups!.FixedTransformed, 2, 0.20 / 2);
        Check(epochs[3].Groups!.CurrentOriginal!.Value, 1, 0.05);
        Check(epochs[3].Groups!.CurrentTransformed!.Value, 3, 0.30 / 3);
    }

    [Test]
    public void Persistence_is_the_mean_change_since_the_epoch_behind_K()
    {
        var epochs = Natural().Epochs;
        Assert.That(epochs.Take(2).Select(e => e.Persistence), Has.All.Null);
        Assert.That(epochs[2].Persistence!.All, Is.EqualTo(new GroupChange(4, 0, 1)));
        // Epoch 5 against epoch 3: 0 rose by 0.05, 1 by 0.30, 2 by 0.10, 3 by 0.05; only 0 and 3 are still below T.
        Check(epochs[4].Persistence!.Original, 2, 0.35 / 2, 0.5);
        Check(epochs[4].Persistence!.Transformed, 2, 0.15 / 2, 0.5);
        Check(epochs[4].Persistence!.All, 4, 0.50 / 4, 0.5);
    }

    [Test]
    public void Wrong_labels_are_counted_by_kind()
    {
        var epochs = Natural().Epochs;
        Assert.That(epochs[3].Labels, Is.EqualTo(new LabelTable(new KindCounts(2, 1, 1), new KindCounts(0, 0, 2))));
        Assert.That(epochs[3].Labels!.WrongThatAreTransformed, Is.EqualTo(1));
        Assert.That(epochs[3].Labels!.TransformedThatAreWrong, Is.EqualTo(2 / 3.0));
        Assert.That(epochs[3].Labels!.BaseRate, Is.EqualTo(2 / 6.0));
    }

    [Test]
    public void Adversarial_figures_compare_ranks_and_split_at_the_given_natural_loss()
    {
        var analysis = RunAnalyzer.Compute(_ledgers.Create(ExampleLedgers.Losses, ExampleLedgers.AdversarialLosses), [], s_settings with { Split = 1 });
        var first = analysis.Epochs[0];
        Assert.That(first.Adversarial!.Shares, Is.EqualTo(new[] { 0, 0, 1.0 }));
        // Natural loss below 1: samples 0 and 1 with adversarial losses 1 and 2; the others 3 to 6.
        Check(first.ByConfidence!.Confident, 2, 1.5);
        Check(first.ByConfidence.Others, 4, 4.5);
        // Epoch 1 by natural loss: {0,1} {2,5} {3,4}; by adversarial: {0,1} {2,3} {4,5}.
        Assert.That(first.Overlap, Is.EqualTo(new[] { 1, 0.5, 0.5 }));
        // Epoch 5: 4, 0 | 3, 2 | 1, 5 against 5, 4 | 3, 2 | 1, 0.
        Assert.That(analysis.Epochs[4].Overlap, Is.EqualTo(new[] { 0.5, 1, 0.5 }));
        Assert.That(analysis.Epochs[4].MeanAdversarialLoss, Is.EqualTo(3.5));
        Assert.That(analysis.Missing.Select(m => m.Figure), Has.None.Contains("rank overlap"));
    }

    [Test]
    public void An_empty_group_has_no_mean_and_NaN_is_in_no_mean_and_counted()
    {
        float[][] losses = [[float.NaN, 2], [float.NaN, 2], [2, float.NaN]];
        var analysis = RunAnalyzer.Compute(_ledgers.Create(losses, losses, labels: false), [], s_settings with { Warmup = 1 });
        Assert.That(analysis.NotANumber, Is.EqualTo(3));
        Assert.That(analysis.Settings.Groups, Is.EqualTo(2), "no more groups than samples");
        Assert.That(analysis.Epochs[0].MeanNaturalLoss, Is.EqualTo(2));
        Assert.That(analysis.Epochs[0].Natural.NotANumber, Is.EqualTo(0.5));
        Assert.That(analysis.Epochs[0].ByConfidence!.Confident, Is.EqualTo(new GroupMean(0, double.NaN)));
        Assert.That(analysis.Epochs[2].Persistence!.All, Is.EqualTo(new GroupChange(0, double.NaN, double.NaN)));
        Assert.That(AnalysisTables.Of(analysis).Single(t => t.File == "persistence.csv").Rows[0][3], Is.NaN);
        using var text = new StringWriter();
        AnalysisTables.Of(analysis).Single(t => t.File == "persistence.csv").Write(text);
        Assert.That(text.ToString().Split('\n')[1], Is.EqualTo("2,0,0,,,0,,,0,,"), "no number is an empty cell");
    }

    [TestCase(0, "K = 0")]
    [TestCase(5, "K = 5 and the ledger has 5 epochs")]
    [TestCase(9, "K = 9")]
    public void Without_an_epoch_at_K_and_one_behind_it_the_comparison_is_left_out_and_said_so(int warmup, string said)
    {
        var analysis = RunAnalyzer.Compute(_ledgers.Create(ExampleLedgers.Losses), [], s_settings with { Warmup = warmup });
        Assert.That(analysis.Epochs, Has.All.Matches<EpochAnalysis>(e => e is { Kinds: null, Groups: null, Persistence: null, Labels: null }));
        Assert.That(analysis.Missing.Single(m => m.Figure.StartsWith("original", StringComparison.Ordinal)).Reason, Does.Contain(said));
        Assert.That(AnalysisTables.Of(analysis).Select(t => t.File), Is.EqualTo(new[] { "accuracy.csv", "natural_ranges.csv", "confidence.csv" }));
    }

    [Test]
    public void Losses_of_a_pass_behind_every_epoch_are_taken_before_those_of_training_and_never_mixed_with_them()
    {
        float[][] pass = [.. ExampleLedgers.Losses.Select(row => Array.ConvertAll(row, loss => loss / 2))];
        var plain = RunAnalyzer.Compute(
            _ledgers.Create(ExampleLedgers.Losses, ExampleLedgers.AdversarialLosses, more: new() { [LedgerColumns.EvaluationNaturalLoss] = pass }), [], s_settings);
        Assert.That((plain.NaturalColumn, plain.AdversarialColumn, plain.IsOfEvaluationPass), Is.EqualTo((LedgerColumns.EvaluationNaturalLoss, (string?)null, true)));
        Assert.That(plain.Epochs[1].MeanNaturalLoss, Is.EqualTo(8.25 / 12).Within(Tolerance));
        Assert.That(plain.Missing.Select(m => m.Reason), Has.Some.Contains("natural losses only"));

        var attacked = RunAnalyzer.Compute(_ledgers.Create(ExampleLedgers.Losses, ExampleLedgers.AdversarialLosses, more: new()
        {
            [LedgerColumns.EvaluationNaturalLoss] = pass, [LedgerColumns.EvaluationAdversarialLoss] = pass, [LedgerColumns.EvaluationFgsmLoss] = pass,
        }), [], s_settings);
        Assert.That(attacked.AdversarialColumn, Is.EqualTo(LedgerColumns.EvaluationFgsmLoss), "in single-step training the patterns are those of the single step");
    }

    [Test]
    public void Accuracies_come_from_the_figures_of_the_run_and_without_them_from_the_ledger()
    {
        float[][] correct = [.. Enumerable.Repeat(new float[] { 1, 1, 1, 0, 0, 0 }, 5)];
        var ledger = _ledgers.Create(ExampleLedgers.Losses, more: new() { [LedgerColumns.NaturalCorrect] = correct });
        var alone = RunAnalyzer.Compute(ledger, [], s_settings);
        Assert.That(alone.Accuracies[4], Is.EqualTo(new AccuracyPoint(5, 0.5, null)));
        Assert.That(alone.Missing[0].Reason, Does.Contain("metrics.jsonl"));
        var run = RunAnalyzer.Compute(ledger, [.. Enumerable.Range(1, 4).Select(e => ExampleLedgers.Metrics(e, 0.5 + (0.1 * e), 0.5))], s_settings, epochs: 4);
        Assert.That((run.Epochs.Count, run.Accuracies.Count, run.Onsets.Natural!.Epoch), Is.EqualTo((4, 4, 1)));
    }

    [Test]
    public void No_more_epochs_than_there_are_can_be_asked_for()
    {
        var ledger = _ledgers.Create(ExampleLedgers.Losses);
        Assert.That(() => RunAnalyzer.Compute(ledger, [], s_settings, epochs: 6), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => RunAnalyzer.Compute(ledger, [], s_settings, epochs: 0), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private RunAnalysis Natural() => RunAnalyzer.Compute(_ledgers.Create(ExampleLedgers.Losses), [], s_settings);

    private static void Check(GroupMean group, int samples, double mean)
    {
        Assert.That(group.Samples, Is.EqualTo(samples));
        Assert.That(group.MeanLoss, Is.EqualTo(mean).Within(Tolerance));
    }

    private static void Check(GroupChange change, int samples, double mean, double confident)
    {
        Assert.That((change.Samples, change.StillConfident), Is.EqualTo((samples, confident)));
        Assert.That(change.MeanChange, Is.EqualTo(mean).Within(Tolerance));
    }
}
