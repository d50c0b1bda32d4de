using Dom.Nn;
using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>What DOM_DA, adaptive thresholds and TRADES take where nothing is said, and what is refused.</summary>
public sealed class DistractionDefaultsTests
{
    // Table 1 of the paper, CIFAR-10.
    [TestCase(AttackKind.None, AugmentationKind.AugMix, 0.5, 3)]
    [TestCase(AttackKind.None, AugmentationKind.RandAugment, 0.1, 3)]
    [TestCase(AttackKind.Pgd, AugmentationKind.AugMix, 0.5, 2)]
    [TestCase(AttackKind.Pgd, AugmentationKind.RandAugment, 0, 2)]
    [TestCase(AttackKind.RsFgsm, AugmentationKind.AugMix, 0.5, 5)]
    [TestCase(AttackKind.RsFgsm, AugmentationKind.RandAugment, 0.1, 3)]
    public void Strength_and_tries_are_those_of_table_1(AttackKind attack, AugmentationKind augmentation, double strength, int tries)
    {
        var options = new TrainOptions { Attack = attack, Dom = DomAction.Augment, DomAugmentation = augmentation };
        Assert.That((options.EffectiveDomStrength, options.EffectiveDomTries), Is.EqualTo((strength, tries)));
        Assert.That((options.Policy.Strength, options.Policy.Tries), Is.EqualTo(((float)strength, tries)));
        Assert.That(options.Validate, Throws.Nothing);
    }

    [Test]
    public void What_is_not_said_is_augmix_a_shared_draw_a_fixed_threshold_and_forty_percent()
    {
        var options = new TrainOptions { Dom = DomAction.Augment };
        Assert.That((options.EffectiveDomAugmentation, options.AugmentationDraw, options.ThresholdKind, options.EffectiveThresholdFactor),
            Is.EqualTo((AugmentationKind.AugMix, AugmentationDraw.Batch, ThresholdKind.Fixed, 0.4)));
    }

    [TestCase(LossKind.CrossEntropy, BatchNormMode.UpdateStatistics)]
    [TestCase(LossKind.Trades, BatchNormMode.RunningStatistics)]
    public void Batch_norm_in_the_attack_follows_the_authors_of_the_loss(LossKind loss, BatchNormMode mode)
    {
        var options = new TrainOptions { Attack = AttackKind.Pgd, Loss = loss };
        Assert.That((options.EffectiveBatchNormInAttack, options.EffectiveTradesBeta), Is.EqualTo((mode, 6)));
        Assert.That((options with { BatchNormInAttack = BatchNormMode.BatchStatisticsOnly }).EffectiveBatchNormInAttack, Is.EqualTo(BatchNormMode.BatchStatisticsOnly));
    }

    [Test]
    public void Defaults_that_a_run_writes_down_are_options_that_make_sense()
    {
        foreach (var action in Enum.GetValues<DomAction>())
        {
            var resolved = (new TrainOptions { Dom = action, Attack = AttackKind.RsFgsm } with { ThresholdKind = ThresholdKind.Mean }).Resolved();
            Assert.That(resolved.Validate, Throws.Nothing, action.ToString());
            Assert.That(resolved.Resolved(), Is.EqualTo(resolved), "resolving twice changes nothing");
            Assert.That(resolved.DomTries, Is.EqualTo(action == DomAction.Augment ? 5 : null));
        }
    }

    [Test]
    public void A_run_written_down_before_these_options_existed_means_their_defaults()
    {
        var old = System.Text.Json.JsonSerializer.Deserialize<TrainOptions>(
            """{"data":"embedded","epochs":4,"attack":"pgd","batchNormInAttack":"running-statistics","dom":"remove","threshold":1.5,"warmup":2}""", RunJson.Compact)!;
        Assert.That(
            (old.Augment, old.AugmentationDraw, old.Loss, old.ThresholdKind, old.EffectiveThresholdFactor, old.StepSizeRamp, old.EffectiveTradesBeta),
            Is.EqualTo((AugmentationKind.None, AugmentationDraw.Batch, LossKind.CrossEntropy, ThresholdKind.Fixed, 0.4, 0.0, 6.0)));
        Assert.That(old.EffectiveBatchNormInAttack, Is.EqualTo(BatchNormMode.RunningStatistics));
    }
}
