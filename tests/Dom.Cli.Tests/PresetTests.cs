using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

/// <summary>The presets against table 1 of the DOM paper.</summary>
public sealed class PresetTests
{
    [TestCase("dom-natural", AttackKind.None, 300, 0.1, ScheduleKind.Piecewise, 0.2)]
    [TestCase("dom-pgd", AttackKind.Pgd, 200, 0.1, ScheduleKind.Piecewise, 1.5)]
    [TestCase("dom-fgsm", AttackKind.RsFgsm, 100, 0.2, ScheduleKind.Triangular, 2)]
    [TestCase("dom-natural-cifar100", AttackKind.None, 300, 0.1, ScheduleKind.Piecewise, 0.45)]
    [TestCase("dom-pgd-cifar100", AttackKind.Pgd, 200, 0.1, ScheduleKind.Piecewise, 4)]
    [TestCase("dom-fgsm-cifar100", AttackKind.RsFgsm, 50, 0.2, ScheduleKind.Triangular, 4.6)]
    public void A_preset_of_the_paper_has_its_settings(string name, AttackKind attack, int epochs, double rate, ScheduleKind schedule, double threshold)
    {
        string remove = name.EndsWith("-cifar100", StringComparison.Ordinal) ? name.Replace("-cifar100", "-remove-cifar100") : name + "-remove";
        foreach (var (options, action) in new[] { (Presets.Find(name).Options, DomAction.Off), (Presets.Find(remove).Options, DomAction.Remove) })
        {
            Assert.Multiple(() =>
            {
                Assert.That((options.Attack, options.Epochs, options.LearningRate, options.Schedule), Is.EqualTo((attack, epochs, rate, schedule)));
                Assert.That((options.EffectiveThreshold, options.EffectiveWarmup, options.Dom), Is.EqualTo((threshold, epochs / 2, action)));
                Assert.That((options.Model, options.Batch, options.Momentum, options.WeightDecay), Is.EqualTo(("preact-resnet18", 128, 0.9, 5e-4)));
                Assert.That((options.CropPadding, options.Flip, options.Epsilon), Is.EqualTo((4, true, 8.0)));
            });
        }
    }

    // Tables 1 and 5 of the paper: epochs, peak rate, T, then beta and gamma with AugMix and with RandAugment.
    [TestCase("table2/cifar10/preact-resnet18", 300, 0.1, 0.2, 0.5, 3, 0.1, 3)]
    [TestCase("table2/cifar100/wide-resnet34-10", 300, 0.1, 0.45, 0.5, 2, 0.1, 2)]
    [TestCase("table3/cifar10", 200, 0.1, 1.5, 0.5, 2, 0, 2)]
    [TestCase("table3/cifar100", 200, 0.1, 4.0, 0.5, 2, 0, 2)]
    [TestCase("table4/cifar10", 100, 0.2, 2.0, 0.5, 5, 0.1, 3)]
    [TestCase("table4/cifar100", 50, 0.2, 4.6, 0.5, 5, 0.1, 3)]
    [TestCase("table6/svhn/preact-resnet18", 300, 0.01, 0.02, 0.5, 3, 0.5, 3)]
    [TestCase("table7/svhn", 200, 0.01, 0.75, 0.5, 4, 0.25, 2)]
    [TestCase("table8/svhn", 20, 0.01, 1.0, 0.5, 4, 0.1, 4)]
    [TestCase("table9/tiny-imagenet", 300, 0.1, 0.2, 0.5, 3, 0.1, 3)]
    [TestCase("table11/cifar10", 300, 0.2, 0.2, 0.5, 3, 0.1, 3)]
    public void A_row_of_a_table_has_the_papers_settings(
        string group, int epochs, double rate, double threshold, double strengthA, int triesA, double strengthR, int triesR)
    {
        TrainOptions Of(string method) => Presets.Find($"{group}/{method}").Options;
        foreach (string method in new[] { "baseline", "remove", "augmix", "augment-augmix", "randaugment", "augment-randaugment" })
        {
            var options = Of(method);
            Assert.Multiple(() =>
            {
                Assert.That((options.Epochs, options.LearningRate, options.EffectiveThreshold, options.EffectiveWarmup), Is.EqualTo((epochs, rate, threshold, epochs / 2)), method);
                Assert.That((options.Batch, options.Momentum, options.WeightDecay, options.Flip, options.Epsilon), Is.EqualTo((128, 0.9, 5e-4, true, 8.0)), method);
                Assert.That((options.DomMode, options.AugmentationDraw, options.EvaluationSteps, options.Precision), Is.EqualTo((DomMode.Code, AugmentationDraw.Batch, 20, Nn.Precision.F32)), method);
            });
        }
        Assert.Multiple(() =>
        {
            Assert.That((Of("baseline").Dom, Of("baseline").Augment), Is.EqualTo((DomAction.Off, AugmentationKind.None)));
            Assert.That((Of("remove").Dom, Of("remove").Augment), Is.EqualTo((DomAction.Remove, AugmentationKind.None)));
            Assert.That((Of("augmix").Dom, Of("augmix").Augment), Is.EqualTo((DomAction.Off, AugmentationKind.AugMix)));
            Assert.That((Of("randaugment").Dom, Of("randaugment").Augment), Is.EqualTo((DomAction.Off, AugmentationKind.RandAugment)));
            foreach (var (method, kind, strength, tries) in new[]
                { ("augment-augmix", AugmentationKind.AugMix, strengthA, triesA), ("augment-randaugment", AugmentationKind.RandAugment, strengthR, triesR) })
            {
                var options = Of(method);
                Assert.That((options.Dom, options.Augment, options.EffectiveDomAugmentation, options.EffectiveDomStrength, options.EffectiveDomTries),
                    Is.EqualTo((DomAction.Augment, AugmentationKind.None, kind, strength, tries)), method);
            }
        });
    }

    [Test]
    public void Rows_differ_from_the_common_settings_where_the_paper_says_so()
    {
        TrainOptions pgd = Presets.Find("table7/svhn/baseline").Options, fgsm = Presets.Find("table8/svhn/baseline").Options;
        var tiny = Presets.Find("table9/tiny-imagenet/remove");
        Assert.Multiple(() =>
        {
            Assert.That((pgd.TrainAttack.StepSize * 255, pgd.StepSizeRamp, pgd.Steps), Is.EqualTo((1f, 10.0, 10)).Within(1e-5));
            Assert.That((fgsm.TrainAttack.StepSize * 255, fgsm.StepSizeRamp, fgsm.Schedule), Is.EqualTo((10f, 5.0, ScheduleKind.Triangular)).Within(1e-5));
            Assert.That(Presets.Find("table6/svhn/preact-resnet18/remove").Options.StepSizeRamp, Is.Zero);
            Assert.That((tiny.Options.CropPadding, tiny.Options.Model), Is.EqualTo((8, "preact-resnet18")));
            Assert.That(tiny.Inferred, Does.Contain("2048 inputs"));
            Assert.That(Presets.Find("table11/cifar10/remove").Options.Schedule, Is.EqualTo(ScheduleKind.Triangular));
            Assert.That(Presets.Find("table2/cifar10/wide-resnet34-10/remove").Options.Model, Is.EqualTo("wide-resnet34-10"));
            foreach (var (group, adapts) in new[] { ("remove", true), ("augment-augmix", true), ("baseline", false), ("augmix", false) })
            {
                var options = Presets.Find($"table12/cifar10/natural/{group}").Options;
                Assert.That((options.ThresholdKind == ThresholdKind.Mean, options.EffectiveThresholdFactor), Is.EqualTo((adapts, 0.4)), group);
            }
            Assert.That(Presets.Find("table12/cifar10/fgsm/remove").Inferred, Does.Contain("0.4 times the batch's mean loss"));
        });
    }

    [Test]
    public void A_ramp_keeps_its_share_of_another_number_of_epochs() =>
        Assert.That(Presets.Find("table7/svhn/baseline").ForEpochs(20).StepSizeRamp, Is.EqualTo(1).Within(1e-12));

    [Test]
    public void Step_sizes_of_the_papers_attacks_are_theirs()
    {
        Assert.That(Presets.Find("dom-pgd").Options.TrainAttack.StepSize * 255, Is.EqualTo(2).Within(1e-5));
        Assert.That(Presets.Find("dom-pgd").Options.TrainAttack.Steps, Is.EqualTo(10));
        Assert.That(Presets.Find("dom-fgsm").Options.TrainAttack.StepSize * 255, Is.EqualTo(10).Within(1e-5));
    }

    [Test]
    public void Every_preset_makes_sense()
    {
        foreach (var preset in Presets.All)
            Assert.That(preset.Options.Validate, Throws.Nothing, preset.Name);
    }

    [Test]
    public void A_warm_up_keeps_its_share_of_another_number_of_epochs()
    {
        var preset = new Preset("x", "", new TrainOptions { Epochs = 30, Warmup = 10 });
        Assert.That(preset.ForEpochs(60).Warmup, Is.EqualTo(20));
        Assert.That(preset.ForEpochs(1).EffectiveWarmup, Is.Zero);
    }
}
