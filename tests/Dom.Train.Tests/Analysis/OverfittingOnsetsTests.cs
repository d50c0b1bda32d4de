using Dom.Train.Analysis;

namespace Dom.Train.Tests.Analysis;

public sealed class OverfittingOnsetsTests
{
    [TestCase(0.45, 0.25, 0.9, CollapseSign.None)] // exactly 20 points are not more than 20
    [TestCase(0.45, 0.24, 0.3, CollapseSign.Fall)]
    [TestCase(0.30, 0.10, 0.51, CollapseSign.Gap)] // guessing is 10 %, 41 points between training and test
    [TestCase(0.10, 0.10, 0.50, CollapseSign.None)]
    [TestCase(0.10, 0.11, 0.95, CollapseSign.None)] // better than guessing: overfitting, not collapse
    [TestCase(null, 0.07, 0.82, CollapseSign.Gap)]
    [TestCase(0.45, null, 0.9, CollapseSign.None)]
    [TestCase(0.45, double.NaN, 0.9, CollapseSign.None)]
    [TestCase(0.10, 0.05, null, CollapseSign.None)]
    public void An_epoch_collapses_by_a_fall_or_by_a_gap(double? before, double? now, double? training, CollapseSign expected) =>
        Assert.That(CollapseRule.Judge(before, now, training, classes: 10), Is.EqualTo(expected));

    [Test]
    public void A_gap_is_not_judged_where_the_number_of_classes_is_unknown() =>
        Assert.That(CollapseRule.Judge(null, 0.01, 0.99), Is.EqualTo(CollapseSign.None));

    [Test]
    public void Natural_overfitting_begins_where_the_gap_stays_open_to_the_end()
    {
        // Gaps: 6, 2, 5, 7, 4, 5, 8 points. The first and the third do not last; from epoch 6 on it stays.
        double[] gaps = [0.06, 0.02, 0.05, 0.07, 0.04, 0.05, 0.08];
        var onset = OverfittingOnsets.Find([.. gaps.Select((gap, i) => new AccuracyPoint(i + 1, 0.8 + gap, 0.8))]).Natural!;
        Assert.That(onset.Epoch, Is.EqualTo(6));
        Assert.That((onset.Before, onset.After), Is.EqualTo((0.04, 0.05)).Using<(double, double)>((x, y) => Math.Abs(x.Item1 - y.Item1) + Math.Abs(x.Item2 - y.Item2) < 1e-9));
    }

    [Test]
    public void One_last_epoch_with_a_gap_is_no_onset_and_neither_is_a_run_of_one_epoch()
    {
        Assert.That(OverfittingOnsets.Find([new(1, 0.8, 0.8), new(2, 0.9, 0.8)]).Natural, Is.Null);
        Assert.That(OverfittingOnsets.Find([new(1, 0.9, 0.5)]).Natural, Is.Null);
        Assert.That(OverfittingOnsets.Find([]).Natural, Is.Null);
        Assert.That(OverfittingOnsets.Find([new(1, 0.9, 0.5), new(2, 0.9, 0.5)]).Natural!.Before, Is.NaN);
    }

    [Test]
    public void Robust_overfitting_begins_where_attacked_test_accuracy_stays_two_points_below_its_best()
    {
        // Best 0.50 in epoch 3; epoch 4 is one point below, epochs 5 to 7 two and more, while training goes on rising.
        double[] test = [0.40, 0.45, 0.50, 0.49, 0.48, 0.46, 0.45], training = [0.40, 0.45, 0.50, 0.55, 0.60, 0.65, 0.70];
        var onsets = OverfittingOnsets.Find(Attacked(training, test));
        Assert.That(onsets.Robust, Is.EqualTo(new Onset(5, 0.50, 0.48)));
        Assert.That((onsets.Catastrophic, onsets.Gap), Is.EqualTo(((Onset?)null, (Onset?)null)));
    }

    [Test]
    public void A_decline_of_training_and_test_alike_is_no_robust_overfitting() =>
        Assert.That(OverfittingOnsets.Find(Attacked([0.5, 0.4, 0.4, 0.4], [0.5, 0.4, 0.4, 0.4])).Robust, Is.Null);

    [Test]
    public void A_decline_that_recovers_is_no_robust_overfitting() =>
        Assert.That(OverfittingOnsets.Find(Attacked([0.5, 0.6, 0.7, 0.8], [0.5, 0.45, 0.45, 0.5])).Robust, Is.Null);

    [Test]
    public void A_network_that_does_no_better_than_guessing_cannot_lose_robustness()
    {
        var points = Attacked([0.10, 0.10, 0.11, 0.12], [0.109, 0.08, 0.08, 0.08]);
        Assert.That(OverfittingOnsets.Find(points, classes: 10).Robust, Is.Null);
        Assert.That(OverfittingOnsets.Find(points, classes: 100).Robust!.Epoch, Is.EqualTo(2));
    }

    [Test]
    public void A_collapse_is_found_and_robust_overfitting_is_looked_for_before_it_only()
    {
        double[] test = [0.40, 0.42, 0.41, 0.10, 0.00], training = [0.40, 0.45, 0.50, 0.90, 0.95];
        var onsets = OverfittingOnsets.Find(Attacked(training, test), classes: 10);
        Assert.That(onsets.Catastrophic, Is.EqualTo(new Onset(4, 0.41, 0.10)));
        Assert.That(onsets.Gap, Is.EqualTo(new Onset(4, 0.90, 0.10)));
        Assert.That(onsets.Robust, Is.Null, "epoch 3 is one point below the best, and what comes behind it is the collapse");
    }

    [Test]
    public void Epochs_without_a_robust_accuracy_are_passed_over()
    {
        AccuracyPoint[] points = [new(1, 0.5, 0.5, 0.5, 0.45), new(2, 0.5, 0.5), new(3, 0.5, 0.5, 0.9, 0.2)];
        Assert.That(OverfittingOnsets.Find(points).Catastrophic, Is.EqualTo(new Onset(3, 0.45, 0.2)));
    }

    private static AccuracyPoint[] Attacked(double[] training, double[] test) =>
        [.. test.Select((accuracy, i) => new AccuracyPoint(i + 1, 0.9, 0.9, training[i], accuracy))];
}
