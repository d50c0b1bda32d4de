using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Train.Tests.Reproduction;

public sealed class RunMeasuresTests
{
    private static EpochMetrics Epoch(int epoch, double test, double? robust = null) => new()
    {
        Epoch = epoch, LearningRate = 0.1, TrainLoss = 1, TrainAccuracy = 0.5, TestLoss = 1, TestAccuracy = test, TestRobustAccuracy = robust,
        HighConfidence = 0, Removed = 0, ImagesPerSecond = 1,
    };

    [Test]
    public void Errors_of_natural_training_are_of_the_best_and_the_last_epoch()
    {
        EpochMetrics[] metrics = [Epoch(1, 0.90), Epoch(2, 0.953), Epoch(3, 0.9516)];
        Assert.Multiple(() =>
        {
            Assert.That(RunMeasures.Of(PaperMeasure.BestError, metrics, null), Is.EqualTo(4.7).Within(1e-9));
            Assert.That(RunMeasures.Of(PaperMeasure.LastError, metrics, null), Is.EqualTo(4.84).Within(1e-9));
            Assert.That(RunMeasures.Of(PaperMeasure.ErrorDifference, metrics, null), Is.EqualTo(-0.14).Within(1e-9));
            Assert.That(RunMeasures.Of(PaperMeasure.LastPgd, metrics, null), Is.Null);
        });
    }

    [Test]
    public void In_adversarial_training_the_best_epoch_is_the_first_that_is_best_under_attack()
    {
        EpochMetrics[] metrics = [Epoch(1, 0.9, 0.40), Epoch(2, 0.8, 0.52), Epoch(3, 0.85, 0.52), Epoch(4, 0.836, 0.45)];
        var autoAttack = new AutoAttackAccuracy(0.48, 0.427);
        double?[] found = [.. PaperTables.Of(3).Measures.Select(measure => RunMeasures.Of(measure, metrics, autoAttack))];
        Assert.That(found, Is.EqualTo(new double?[] { 80, 52, 48, 83.6, 45, 42.7 }).Within(1e-9));
        Assert.Multiple(() =>
        {
            Assert.That(RunMeasures.Of(PaperMeasure.BestError, metrics, null), Is.EqualTo(48).Within(1e-9), "table 12 shows the error under attack");
            Assert.That(RunMeasures.Of(PaperMeasure.LastAutoAttack, metrics, null), Is.Null, "not measured is not 0");
            Assert.That(RunMeasures.Of(PaperMeasure.BestError, [], null), Is.Null);
        });
    }

    [Test]
    public void Mean_and_deviation_are_those_of_a_sample()
    {
        // 4, 5, 9: mean 6, squares 4 + 1 + 9 = 14, divided by 2.
        var three = new SeedStatistics([4, 5, 9]);
        Assert.Multiple(() =>
        {
            Assert.That(three.Mean, Is.EqualTo(6).Within(1e-12));
            Assert.That(three.Deviation, Is.EqualTo(Math.Sqrt(7)).Within(1e-12));
            Assert.That($"{three}", Is.EqualTo("6.00 +- 2.65"));
            Assert.That((new SeedStatistics([4]).Mean, new SeedStatistics([4]).Deviation), Is.EqualTo(((double?)4, (double?)null)));
            Assert.That($"{new SeedStatistics([4])} {new SeedStatistics([])}", Is.EqualTo("4.00 not measured"));
        });
    }
}
