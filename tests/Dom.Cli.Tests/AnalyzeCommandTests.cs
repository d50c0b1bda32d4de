using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

public sealed class AnalyzeCommandTests
{
    private static readonly string[] s_small = ["--data", "embedded", "--model", "preact-resnet8", "--batch", "64", "--limit-train", "200", "--limit-test", "60", "--seed", "3"];

    [Test]
    public void A_natural_run_with_wrong_labels_gets_a_page_pictures_and_tables_and_its_figures_printed()
    {
        using var folder = new ScratchFolder();
        Train(folder["run"], "--epochs", "4", "--warmup", "2", "--threshold", "2", "--label-noise", "0.2");
        var run = Invocation.Run("analyze", folder["run"]);
        Assert.That(run.Code, Is.Zero, run.Error);
        string analysis = Path.Combine(folder["run"], "analysis");
        Assert.Multiple(() =>
        {
            Assert.That(run.Lines[0], Does.EndWith("ledger: 200 samples, 4 epochs; T = 2 nats, K = 2"));
            foreach (string name in new[] { "high confidence", "natural overfitting", "over-memorized", "persistence", "wrong labels", "not shown", "page", "tables", "pictures" })
                Assert.That(run.Lines, Has.Some.StartsWith(name));
            Assert.That(Unwrapped(run), Does.Contain("trained without an attack").And.Contain("40 wrongly labelled samples"));
            Assert.That(run.Lines, Has.None.StartsWith("robust overfitting"));
            Assert.That(Directory.GetFiles(analysis, "*.csv").Select(Path.GetFileName), Is.EquivalentTo(
                new[] { "accuracy.csv", "natural_ranges.csv", "confidence.csv", "groups.csv", "persistence.csv", "labels.csv" }));
            Assert.That(Directory.GetFiles(analysis, "*.svg"), Has.Length.EqualTo(8));
            Assert.That(XDocument.Load(Path.Combine(analysis, "analysis.html")).Descendants("svg").Count(), Is.EqualTo(8));
        });

        // The tables say what the ledger's own summary and the run's figures say.
        var ledger = LedgerStore.Open(new RunFolder(folder["run"]).Ledger);
        var confidence = Table(analysis, "confidence.csv");
        var accuracy = Table(analysis, "accuracy.csv");
        var metrics = new RunFolder(folder["run"]).ReadMetrics();
        for (int epoch = 0; epoch < 4; epoch++)
        {
            Assert.That(confidence[epoch][1], Is.EqualTo(LedgerSummary.Compute(ledger, LossRanges.Natural, 2)[epoch].All.HighConfidence));
            Assert.That((accuracy[epoch][1], accuracy[epoch][2], accuracy[epoch][5]), Is.EqualTo((metrics[epoch].TrainAccuracy, metrics[epoch].TestAccuracy, double.NaN)));
        }
        Assert.That(confidence[3][2..].Sum(), Is.EqualTo(200));
        Assert.That(Table(analysis, "labels.csv")[1][4..7].Sum(), Is.EqualTo(40));
    }

    [Test]
    public void A_run_with_rs_fgsm_has_the_adversarial_figures_too()
    {
        using var folder = new ScratchFolder();
        Train(folder["run"], "--epochs", "3", "--warmup", "1", "--attack", "rs-fgsm", "--eval-steps", "2", "--label-noise", "0");
        var run = Invocation.Run("analyze", folder["run"], "--output", folder["out"], "--json");
        Assert.That(run.Lines, Has.Length.EqualTo(1), run.Error);
        var json = JsonDocument.Parse(run.Output).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(json.GetProperty("overlap").GetArrayLength(), Is.EqualTo(10));
            Assert.That(json.GetProperty("adversarialColumn").GetString(), Is.EqualTo("adversarial_loss"));
            Assert.That(json.GetProperty("missing").EnumerateArray().Select(m => m.GetString()), Has.Exactly(1).Contains("No label of the run was made wrong"));
            Assert.That(Table(folder["out"], "overlap.csv"), Has.Length.EqualTo(3));
            Assert.That(Table(folder["out"], "adversarial_ranges.csv")[2][2..].Sum(), Is.EqualTo(1).Within(1e-9));
            Assert.That(Directory.Exists(Path.Combine(folder["run"], "analysis")), Is.False);
            Assert.That(Invocation.Run("analyze", folder["run"]).Lines, Has.Some.StartsWith("catastrophic overfitting"));
        });
    }

    [Test]
    public void Losses_of_a_pass_behind_every_epoch_are_taken_and_removal_of_a_part_is_named()
    {
        using var folder = new ScratchFolder();
        Train(folder["run"], "--epochs", "3", "--warmup", "1", "--attack", "rs-fgsm", "--eval-steps", "2", "--label-noise", "0.1", "--ledger-pass", "plain",
            "--dom", "remove", "--remove-set", "transformed", "--threshold", "2.2");
        var run = Invocation.Run("analyze", folder["run"]);
        Assert.That(Unwrapped(run), Does.Contain("measured after every epoch in a pass over the training images").And.Contain("adversarial ones under FGSM"), run.Error);
        Assert.That(File.ReadAllText(Path.Combine(folder["run"], "analysis", "analysis.html")), Does.Contain("DOM remove (only transformed high confidence), 10 % of the labels made wrong"));
        Assert.That(File.ReadAllText(Path.Combine(folder["run"], "report.html")), Does.Contain("--remove-set").And.Contain("--ledger-pass"));
    }

    [Test]
    public void The_removal_experiments_are_shown_beside_each_other()
    {
        using var folder = new ScratchFolder();
        Train(folder["none"], "--epochs", "2", "--warmup", "1", "--label-noise", "0.2");
        Train(folder["all"], "--epochs", "2", "--warmup", "1", "--label-noise", "0.2", "--dom", "remove");
        Train(folder["trans"], "--epochs", "2", "--warmup", "1", "--label-noise", "0.2", "--dom", "remove", "--remove-set", "transformed");
        var run = Invocation.Run("analyze", folder["none"], "--compare", $"{folder["all"]},{folder["trans"]}");
        Assert.That(run.Lines.Where(line => line.StartsWith("removal", StringComparison.Ordinal)).Select(line => line[7..].Trim().Split(':')[0]),
            Is.EqualTo(new[] { "none (none)", "all (all)", "transformed (trans)" }), run.Error);
        Assert.That(Table(Path.Combine(folder["none"], "analysis"), "comparison.csv")[1][1], Is.EqualTo(new RunFolder(folder["none"]).ReadMetrics()[1].TestAccuracy));
        Cli.Run("analyze", folder["none"], "--compare", folder["nowhere"]).ShouldFail(ExitCode.Failed, "nowhere", "metrics.jsonl");
    }

    [Test]
    public void A_run_of_one_epoch_and_one_that_is_still_going_say_what_they_lack()
    {
        using var folder = new ScratchFolder();
        Write(folder["one"], new TrainOptions { Epochs = 1 }, "finished", epochs: 1);
        Write(folder["going"], new TrainOptions { Epochs = 30 }, "running", epochs: 3);
        var one = Invocation.Run("analyze", folder["one"]);
        var going = Invocation.Run("analyze", folder["going"]);
        Assert.Multiple(() =>
        {
            Assert.That((one.Code, going.Code), Is.EqualTo((0, 0)), one.Error + going.Error);
            Assert.That(Unwrapped(one), Does.Contain("The run has one epoch"));
            Assert.That(Unwrapped(one), Does.Contain("There is no metrics.jsonl"));
            Assert.That(Unwrapped(going), Does.Contain("is going on, or was killed: 3 of 30 epochs are there so far").And.Contain("ends with epoch K = 15 and the ledger has 3 epochs"));
            Assert.That(Invocation.Run("analyze", folder["going"], "--warmup", "1").Lines, Has.Some.StartsWith("over-memorized"));
        });
    }

    [Test]
    public void A_ledger_that_stands_alone_is_analyzed_with_defaults()
    {
        using var folder = new ScratchFolder();
        var store = LedgerStore.Create(folder["alone"], 2, [LedgerColumns.NaturalLoss]);
        foreach (float loss in new[] { 1f, 0.5f, 0.1f })
            store.Append(new Dictionary<string, float[]> { [LedgerColumns.NaturalLoss] = [loss, loss] });
        var run = Invocation.Run("analyze", folder["alone"]);
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Lines[0], Does.EndWith("2 samples, 3 epochs; T = 0.2 nats, K = 1"));
        Assert.That(Unwrapped(run), Does.Contain("2 of 2 confident samples in epoch 3").And.Contain("does not say which labels are wrong"));
        Assert.That(File.Exists(Path.Combine(folder["alone"], "analysis", "analysis.html")), Is.True);
    }

    [Test]
    public void Edges_of_the_ranges_can_be_chosen()
    {
        using var folder = new ScratchFolder();
        Write(folder["run"], new TrainOptions { Epochs = 3, Warmup = 1 }, "finished", epochs: 3);
        Assert.That(Invocation.Run("analyze", folder["run"], "--edges", "0.25, 0.75").Code, Is.Zero);
        string[] lines = File.ReadAllLines(Path.Combine(folder["run"], "analysis", "natural_ranges.csv"));
        Assert.That(lines[0], Is.EqualTo("epoch,mean_loss,share_0..0.25,share_0.25..0.75,share_0.75..,share_nan"));
        Assert.That(lines[1], Does.EndWith(",0.25,0.25,0.5,0"));
    }

    [TestCase("--edges", "1,0.5", "positive numbers, ascending")]
    [TestCase("--edges", "0,1", "positive numbers, ascending")]
    [TestCase("--edges", "a", "positive numbers, ascending")]
    [TestCase("--edges", "1,,2", "positive numbers, ascending")]
    [TestCase("--split", "0", "above 0")]
    [TestCase("--split", "x", "must be a number")]
    [TestCase("--threshold", "-1", "0 or more")]
    [TestCase("--warmup", "4", "between 1 and the 3 epochs")]
    public void Values_that_make_no_sense_are_wrong_usage_and_write_nothing(string option, string value, string said)
    {
        using var folder = new ScratchFolder();
        Write(folder["run"], new TrainOptions { Epochs = 3 }, "finished", epochs: 3);
        Cli.Run("analyze", folder["run"], option, value).ShouldFail(ExitCode.WrongUsage, option, said);
        Assert.That(Directory.Exists(Path.Combine(folder["run"], "analysis")), Is.False);
    }

    [Test]
    public void Folders_that_cannot_be_read_or_written_end_the_command_with_one_line()
    {
        using var folder = new ScratchFolder();
        Write(folder["run"], new TrainOptions { Epochs = 3 }, "finished", epochs: 3);
        Write(folder["none"], new TrainOptions { Epochs = 3 }, "running", epochs: 0);
        File.WriteAllText(folder["file"], "");
        Cli.Run("analyze", folder["nowhere"]).ShouldFail(ExitCode.Failed, "no such folder");
        Cli.Run("analyze", folder["none"]).ShouldFail(ExitCode.Failed, "no epoch has ended yet");
        Cli.Run("analyze", folder["run"], "--output", folder["file"]).ShouldFail(ExitCode.WrongUsage, "--output", "this is a file");
        Cli.Run("analyze", folder["run"], "--output", Path.Combine(folder["file"], "below")).ShouldFail(ExitCode.Failed, "cannot be written there");
        Cli.Run("analyze").ShouldFail(ExitCode.WrongUsage, "dom analyze --help");
    }

    private static void Train(string folder, params string[] options)
    {
        var run = Cli.Run(["train", "--out", folder, .. s_small, .. options], null);
        Assert.That(run.Code, Is.Zero, run.Error);
    }

    // Four samples; epoch by epoch the losses fall.
    private static void Write(string folder, TrainOptions options, string status, int epochs)
    {
        var run = new RunFolder(folder);
        bool adversarial = options.Attack != AttackKind.None;
        var columns = adversarial ? LedgerColumns.Adversarial : LedgerColumns.Natural;
        var store = LedgerStore.Create(run.Ledger, 4, columns);
        store.WriteStatic(LedgerColumns.GivenLabel, [0, 0, 1, 1]);
        store.WriteStatic(LedgerColumns.TrueLabel, [0, 0, 1, 0]);
        for (int epoch = 1; epoch <= epochs; epoch++)
            store.Append(columns.ToDictionary(name => name, _ => new[] { 0.2f / epoch, 0.5f / epoch, 1f / epoch, 2f / epoch }));
        run.Write(new RunDescription
        {
            Options = options, CommandLine = "dom train", DataHash = "", Device = "cpu", Threads = 1, Version = "1", Started = DateTimeOffset.UnixEpoch, Status = status,
        });
    }

    // Sentences are wrapped to the width of the screen.
    private static string Unwrapped(Invocation run) => string.Join(' ', run.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static double[][] Table(string folder, string file) =>
    [
        .. File.ReadAllLines(Path.Combine(folder, file))[1..].Select(line =>
            line.Split(',').Select(cell => cell.Length == 0 ? double.NaN : double.Parse(cell, CultureInfo.InvariantCulture)).ToArray()),
    ];
}
