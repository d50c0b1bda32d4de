using System.Text.Json;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

/// <summary><c>dom eval</c> on the checkpoint of a tiny run.</summary>
public sealed class EvalCommandTests
{
    private readonly ScratchFolder _scratch = new();
    private RunFolder _folder = null!;

    [OneTimeSetUp]
    public void Train()
    {
        var result = Cli.Run("train", "--preset", "quick", "--epochs", "4", "--batch", "20", "--out", _scratch["run"]);
        Assert.That(result.Code, Is.Zero, result.Error);
        _folder = new RunFolder(_scratch["run"]);
    }

    [OneTimeTearDown]
    public void Delete() => _scratch.Dispose();

    [Test]
    public void Clean_accuracy_is_the_one_that_the_run_measured() =>
        Assert.That(Number(Eval(), "accuracy"), Is.EqualTo(_folder.ReadMetrics()[^1].TestAccuracy));

    [TestCase("fgsm")]
    [TestCase("rs-fgsm")]
    [TestCase("pgd-3")]
    public void An_attack_with_radius_zero_changes_nothing(string attack)
    {
        var json = Eval("--attack", attack, "--epsilon", "0");
        Assert.That(Number(json, "robustAccuracy"), Is.EqualTo(Number(json, "accuracy")));
        Assert.That(Number(json, "robustLoss"), Is.EqualTo(Number(json, "loss")).Within(1e-6));
    }

    [TestCase("linf", "16")]
    [TestCase("l2", "255")]
    public void An_attack_raises_the_loss(string norm, string epsilon)
    {
        var json = Eval("--attack", "pgd", "--steps", "5", "--norm", norm, "--epsilon", epsilon);
        Assert.That(Number(json, "robustLoss"), Is.GreaterThan(Number(json, "loss")));
    }

    [Test]
    public void A_limit_of_zero_takes_all_test_images() => Assert.That(Number(Eval("--limit-test", "0"), "samples"), Is.EqualTo(1000));

    [Test]
    public void A_checkpoint_of_another_model_is_refused() =>
        Cli.Run("eval", "--checkpoint", _folder.Last, "--model", "mlp").ShouldFail(ExitCode.Failed, "last.safetensors");

    [Test]
    public void A_file_that_is_no_checkpoint_is_refused()
    {
        File.WriteAllText(_scratch["page.safetensors"], "<html>not found</html>");
        Cli.Run("eval", "--checkpoint", _scratch["page.safetensors"]).ShouldFail(ExitCode.Failed, "page.safetensors");
    }

    private JsonElement Eval(params string[] more)
    {
        var result = Cli.Run(["eval", "--checkpoint", _folder.Last, "--json", .. more]);
        Assert.That(result.Code, Is.Zero, result.Error);
        return JsonDocument.Parse(result.Output).RootElement;
    }

    private static double Number(JsonElement json, string name) => json.GetProperty(name).GetDouble();
}
