using System.Text.Json.Nodes;
using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.StateDictionaries;
using Dom.Train.Attacks;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>N-FGSM as an option of a run; what it does to images is in <see cref="AttackTests"/>.</summary>
public sealed class NFgsmTests
{
    /// <summary>A run writes down what batch norm does in its attack and what a collapse leads to, given or not.</summary>
    private static readonly TrainOptions s_options = Runs.Small with
    {
        Model = "mlp", Epochs = 1, Attack = AttackKind.NFgsm, BatchNormInAttack = BatchNormMode.UpdateStatistics,
        OnCollapse = CollapseResponse.Warn,
    };

    [Test]
    public void The_noise_is_written_into_the_description_and_the_checkpoint_of_a_run()
    {
        using var runs = new Runs();
        var folder = new RunFolder(runs.Finish("run", s_options with { NoiseMagnitude = 3 }));
        var json = JsonNode.Parse(File.ReadAllText(folder.DescriptionFile))!["options"]!;
        Assert.Multiple(() =>
        {
            Assert.That((json["attack"]!.GetValue<string>(), json["noiseMagnitude"]!.GetValue<double>()), Is.EqualTo(("n-fgsm", 3.0)));
            Assert.That(folder.ReadDescription().Options, Is.EqualTo(s_options with { NoiseMagnitude = 3 }));
            Assert.That(Checkpoint.OptionsOf(SafetensorsFile.Read(folder.Last)), Is.EqualTo(s_options with { NoiseMagnitude = 3 }));
        });
    }

    [Test]
    public void A_run_with_another_attack_is_described_as_before_there_was_noise()
    {
        using var runs = new Runs();
        var folder = new RunFolder(runs.Finish("run", s_options with { Attack = AttackKind.RsFgsm }));
        Assert.That(File.ReadAllText(folder.DescriptionFile), Does.Not.Contain("noise").And.Contain("rs-fgsm"));
        Assert.That(folder.ReadDescription().Options, Is.EqualTo(s_options with { Attack = AttackKind.RsFgsm }));
    }

    [Test]
    public void The_magnitude_of_the_noise_changes_the_run()
    {
        using var runs = new Runs();
        byte[] two = File.ReadAllBytes(new RunFolder(runs.Finish("two", s_options)).Last);
        byte[] given = File.ReadAllBytes(new RunFolder(runs.Finish("one", s_options with { NoiseMagnitude = 1 })).Last);
        Assert.That(given, Is.Not.EqualTo(two));
    }

    [Test]
    public void Defaults_are_those_of_its_paper_and_of_dom_with_rs_fgsm()
    {
        var options = new TrainOptions { Attack = AttackKind.NFgsm, Epsilon = 8, Epochs = 30 };
        Assert.Multiple(() =>
        {
            Assert.That(options.TrainAttack.ToString(), Is.EqualTo("N-FGSM Linf 8/255, step 8/255, noise 16/255"));
            Assert.That((options.TrainAttack.ShortName, options.TrainAttack.Steps), Is.EqualTo(("N-FGSM", 1)));
            Assert.That((options.EffectiveThreshold, options.EffectiveWarmup), Is.EqualTo((2.0, 15)));
            Assert.That(options.EvaluationAttack.ToString(), Is.EqualTo("PGD-20 Linf 8/255, step 2/255"));
            Assert.That(OptionTexts.Of(options), Does.Contain(new NamedText("--attack", "n-fgsm")).And.Contain(new NamedText("--noise-magnitude", "2")));
            Assert.That(OptionTexts.Of(options with { Attack = AttackKind.Pgd }).Select(text => text.Name), Does.Not.Contain("--noise-magnitude"));
        });
    }
}
