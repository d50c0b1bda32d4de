using System.Text.Json;

namespace Dom.Cli.Tests;

public sealed class CollapseCommandTests
{
    // A network that reads the label out of FGSM's signs: no more robust to PGD than guessing, after about a dozen epochs.
    private static readonly string[] s_collapsing =
    [
        "train", "--data", "embedded", "--model", "mlp", "--attack", "fgsm", "--epsilon", "48", "--epochs", "18", "--eval-steps", "10", "--limit-train", "500", "--limit-test", "100",
        "--label-noise", "0", "--lr", "0.05", "--schedule", "constant", "--crop-padding", "0",
    ];

    [Test]
    public void A_run_that_collapses_is_warned_of_once_by_default()
    {
        using var folder = new ScratchFolder();
        var run = Invocation.Run([.. s_collapsing, "--out", folder["run"]]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Done), run.Error);
        Assert.That(run.Lines.Where(line => line.StartsWith("Catastrophic overfitting in epoch", StringComparison.Ordinal)).Count(), Is.EqualTo(1));
        Assert.That(run.Output, Does.Contain("--on-collapse stop or dom would act on it"));
        Assert.That(File.ReadLines(Path.Combine(folder["run"], "metrics.jsonl")).Where(line => line.Contains("\"collapse\":\"gap\"", StringComparison.Ordinal)).Count(), Is.EqualTo(1));
        var analysis = Invocation.Run("analyze", folder["run"], "--json");
        Assert.That(JsonDocument.Parse(analysis.Output).RootElement.GetProperty("collapsedGapEpoch").GetInt32(), Is.InRange(2, 18));
    }

    [Test]
    public void A_run_that_stops_itself_has_an_exit_code_of_its_own_and_can_be_resumed()
    {
        using var folder = new ScratchFolder();
        var run = Invocation.Run([.. s_collapsing, "--on-collapse", "stop", "--out", folder["run"]]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Collapsed), run.Error);
        Assert.That(run.Output, Does.Contain("as --on-collapse stop asks; everything is saved. Go on with: dom train --resume"));
        string analysis = Invocation.Run("analyze", folder["run"]).Output;
        Assert.That(analysis, Does.Contain("The run stopped itself (--on-collapse stop) after"));
        var resumed = Invocation.Run("train", "--resume", folder["run"], "--json");
        Assert.That(resumed.Code, Is.EqualTo(ExitCode.Done), resumed.Error);
        Assert.That(JsonDocument.Parse(resumed.Output).RootElement.GetProperty("status").GetString(), Is.EqualTo("finished"));
    }

    [TestCase("--on-collapse", "stop", "--attack")]
    [TestCase("--on-collapse", "halt", "must be one of warn, stop, dom, off")]
    [TestCase("--remove-set", "original", "--dom is remove")]
    [TestCase("--remove-set", "new", "must be one of all, original, transformed")]
    [TestCase("--ledger-pass", "yes", "must be one of plain, augmented, off")]
    public void Values_that_make_no_sense_in_natural_training_are_wrong_usage(string option, string value, string said)
    {
        using var folder = new ScratchFolder();
        Cli.Run("train", "--data", "embedded", "--epochs", "1", "--out", folder["run"], option, value).ShouldFail(ExitCode.WrongUsage, option, said);
        Assert.That(Directory.Exists(folder["run"]), Is.False);
    }
}
