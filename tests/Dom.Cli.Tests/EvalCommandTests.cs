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
    [TestCase("n-fgsm")]
    [TestCase("pgd-3")]
    [TestCase("pgd-3", "--restarts", "2")]
    public void An_attack_with_radius_zero_changes_nothing(string attack, params string[] more)
    {
        var json = Eval(["--attack", attack, "--epsilon", "0", .. more]);
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
    public void N_fgsm_says_how_far_its_noise_reaches()
    {
        var json = Eval("--attack", "n-fgsm", "--epsilon", "16", "--noise-magnitude", "3");
        Assert.That(json.GetProperty("attack").GetString(), Is.EqualTo("N-FGSM Linf 16/255, step 16/255, noise 48/255"));
        Assert.That(Number(json, "robustLoss"), Is.GreaterThan(Number(json, "loss")));
    }

    [Test]
    public void One_restart_is_pgd_as_it_is()
    {
        string[] attack = ["--attack", "pgd", "--steps", "3", "--epsilon", "16"];
        Assert.That(Eval([.. attack, "--restarts", "1"]).GetRawText(), Is.EqualTo(Eval(attack).GetRawText()));
    }

    [Test]
    public void More_restarts_raise_the_loss_and_not_the_accuracy()
    {
        var results = new[] { "1", "2", "4" }.Select(n => Eval("--attack", "pgd", "--steps", "3", "--epsilon", "4", "--restarts", n)).ToArray();
        Assert.That(results.Select(json => Number(json, "robustAccuracy")), Is.Ordered.Descending);
        Assert.That(Number(results[2], "robustLoss"), Is.GreaterThan(Number(results[1], "robustLoss")));
    }

    [Test]
    public void Restarts_are_a_part_of_the_attacks_name()
    {
        var result = Cli.Run("eval", "--checkpoint", _folder.Last, "--attack", "pgd-3", "--restarts", "2", "--limit-test", "20");
        Assert.That(result.Output, Does.Contain("PGD-3-2 accuracy").And.Contain("PGD-3-2 Linf 8/255, step 2/255"), result.Error);
    }

    [Test]
    public void Restarts_without_pgd_and_n_fgsm_in_the_euclidean_norm_are_refused()
    {
        Cli.Run("eval", "--checkpoint", _folder.Last, "--restarts", "2").ShouldFail(ExitCode.WrongUsage, "--restarts 2 needs --attack pgd", "the attack is none");
        Cli.Run("eval", "--checkpoint", _folder.Last, "--attack", "n-fgsm", "--norm", "l2").ShouldFail(ExitCode.WrongUsage, "--norm is l2", "linf");
        Cli.Run("eval", "--checkpoint", _folder.Last, "--attack", "n-fgsm", "--noise-magnitude", "-2").ShouldFail(ExitCode.WrongUsage, "--noise-magnitude is -2");
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
