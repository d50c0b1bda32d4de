using Dom.Train.Attacks;
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
