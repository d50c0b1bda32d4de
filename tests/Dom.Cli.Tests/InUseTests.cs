using System.Diagnostics;
using Dom.Train;
using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

/// <summary>A second process that would write where one writes already, with processes as a person starts them.</summary>
public sealed class InUseTests
{
    // Far more than are waited for, but a test that goes wrong comes to an end.
    private const string Epochs = "2000";

    private static string[] Long(string folder) =>
        ["train", "--preset", "quick", "--batch", "50", "--threads", "1", "--device", "cpu", "--epochs", Epochs, "--out", folder];

    private static string[] Tiny(string output, string cells, params string[] more) =>
    [
        "reproduce", "2", "--cells", cells, "--seeds", "1", "--data", "embedded", "--model", "mlp", "--batch", "48", "--limit-train", "96", "--limit-test", "60",
        "--device", "cpu", "--threads", "1", "--output", output, .. more,
    ];

    private static string[] LockFiles(string folder) => Directory.GetFiles(folder, "*.lock*", SearchOption.AllDirectories);

    private static void ShouldBeInUse(Cli.Result result, string where, Process by, string otherwise)
    {
        result.ShouldFail(ExitCode.Failed, $"{where}: in use by process {by.Id} on {Environment.MachineName} since 2", $"Wait until it is done, end that process, or {otherwise}.");
        Assert.That(result.Output, Is.Empty);
    }

    [Test]
    public void A_run_under_way_keeps_a_second_process_out_but_no_reader_and_can_be_resumed_as_soon_as_it_is_killed()
    {
        using var scratch = new ScratchFolder();
        string folder = scratch["run"];
        using var first = DomProcess.Start(Long(folder));
        try
        {
            first.WaitForLine($" 2/{Epochs}");
            ShouldBeInUse(DomProcess.Run("train", "--resume", folder, "--threads", "1"), folder, first, "choose another folder");
            ShouldBeInUse(DomProcess.Run(Long(folder)), folder, first, "choose another folder");
            foreach (string[] reader in new[] { ["ledger", folder], ["analyze", folder], new[] { "eval", "--checkpoint", new RunFolder(folder).Last, "--device", "cpu" } })
            {
                var read = Cli.Run(reader);
                Assert.That(read.Code, Is.Zero, read.Error);
            }
            Assert.That(first.HasExited, Is.False);
        }
        finally
        {
            first.Kill();
            first.WaitForExit();
        }
        Assert.That(LockFiles(folder), Is.Not.Empty, "it had no time to delete them");
        var resumed = Cli.Run(["train", "--resume", folder, "--threads", "1"], interruptAt: "epoch ");
        Assert.That(resumed.Code, Is.EqualTo(ExitCode.Interrupted), resumed.Error);
        Assert.That(LockFiles(folder), Is.Empty);
    }

    [Test]
    public void A_reproduction_under_way_keeps_a_second_one_from_its_rows_and_from_no_others()
    {
        using var scratch = new ScratchFolder();
        string output = scratch["out"], both = "cifar10/preact-resnet18/baseline,cifar10/preact-resnet18/remove";
        using (var first = DomProcess.Start(Tiny(output, both, "--epochs", Epochs)))
        {
            try
            {
                first.WaitForLine($" 2/{Epochs}");
                // Its first run is the baseline's; the row that it has not begun is its own, too.
                foreach (string method in new[] { "baseline", "remove" })
                {
                    string row = Path.Combine(output, "runs", "table2", "cifar10", "preact-resnet18", method);
                    ShouldBeInUse(DomProcess.Run(Tiny(output, $"cifar10/preact-resnet18/{method}", "--epochs", Epochs)), row, first, "choose other rows with --cells or another folder with --output");
                }
                var other = Cli.Run(Tiny(output, "cifar10/preact-resnet18/augmix", "--epochs", "2"));
                Assert.That(other.Code, Is.Zero, other.Error);
            }
            finally
            {
                first.Kill();
                first.WaitForExit();
            }
        }
        var again = Cli.Run(Tiny(output, both, "--epochs", Epochs), interruptAt: "epoch ");
        Assert.That(again.Code, Is.EqualTo(ExitCode.Interrupted), again.Error);
        Assert.That(LockFiles(output), Is.Empty);
    }

    [Test]
    public void A_run_of_a_reproduction_that_somebody_has_started_by_hand_is_noted_and_the_others_go_on()
    {
        using var scratch = new ScratchFolder();
        string Row(string method) => Path.Combine(scratch["out"], "runs", "table2", "cifar10", "preact-resnet18", method, "seed-0");
        using (new RunFolder(Row("baseline")).Create())
        {
            var result = Cli.Run(Tiny(scratch["out"], "cifar10/preact-resnet18/baseline,cifar10/preact-resnet18/remove", "--epochs", "2"));
            Assert.That(result.Code, Is.EqualTo(ExitCode.Failed), result.Error);
            Assert.That(result.Output, Does.Contain($"{Row("baseline")}: in use by process {Environment.ProcessId}"));
        }
        Assert.That(new RunFolder(Row("remove")).ReadDescription().Status, Is.EqualTo("finished"));
        Assert.That(LockFiles(scratch["out"]), Is.Empty);
    }

    [Test]
    public void Two_reproductions_take_turns_at_the_files_of_a_table()
    {
        using var scratch = new ScratchFolder();
        var plan = new ReproductionPlan(PaperTables.Of(2), new ReproductionChanges(), 1, scratch["out"], []);
        Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => TableFiles.Write(plan, $"{i}", $"{i}", $"{i}"));
        string Read(string extension) => File.ReadAllText(Path.Combine(scratch["out"], TableFiles.NameOf(plan.Table, extension)));
        Assert.That((Read("csv"), Read("json")), Is.EqualTo((Read("txt"), Read("txt") + "\n")), "all are the last writer's");
        Assert.That(Directory.GetFiles(scratch["out"]), Has.Length.EqualTo(3));
    }

    [Test]
    public void An_evaluation_under_way_keeps_a_second_one_from_its_file_and_can_be_resumed_as_soon_as_it_is_killed()
    {
        using var scratch = new ScratchFolder();
        string run = scratch["run"], file = scratch["evaluation.json"];
        Assert.That(Cli.Run("train", "--preset", "quick", "--batch", "50", "--out", run).Code, Is.Zero);
        string[] Eval(params string[] more) =>
            ["eval", "--checkpoint", new RunFolder(run).Last, "--attack", "autoattack", "--epsilon", "0.5", "--device", "cpu", "--threads", "1", "--output", file, .. more];
        using (var first = DomProcess.Start(Eval()))
        {
            try
            {
                first.WaitForLine("APGD-CE: ");
                ShouldBeInUse(DomProcess.Run(Eval("--resume")), file, first, "give another --output");
                ShouldBeInUse(Cli.Run(Eval()), file, first, "give another --output");
                Assert.That(first.HasExited, Is.False);
            }
            finally
            {
                first.Kill();
                first.WaitForExit();
            }
        }
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        using var error = new StringWriter();
        Assert.That(CommandLine.Run(Eval("--resume"), TextWriter.Null, error, cancel.Token), Is.EqualTo(ExitCode.Interrupted), error.ToString());
        Assert.That(LockFiles(scratch.Root), Is.Empty);
    }

    [Test]
    public void A_file_of_an_evaluation_that_is_there_is_refused_and_no_lock_file_stays()
    {
        using var scratch = new ScratchFolder();
        File.WriteAllText(scratch["evaluation.json"], "mine");
        Cli.Run("eval", "--checkpoint", "x", "--attack", "autoattack", "--output", scratch["evaluation.json"]).ShouldFail(ExitCode.WrongUsage, "is there already", "--resume");
        Assert.That(Directory.GetFiles(scratch.Root), Has.Length.EqualTo(1));
    }

    [Test]
    public void Where_no_lock_can_be_taken_a_run_trains_with_one_line_of_warning()
    {
        using var scratch = new ScratchFolder();
        string folder = scratch["run"];
        Assert.That(Cli.Run([.. Long(folder)], interruptAt: $" 1/{Epochs}").Code, Is.EqualTo(ExitCode.Interrupted));
        Directory.CreateDirectory(new RunFolder(folder).LockFile); // a folder of that name stands for a file system that refuses
        var result = Cli.Run(["train", "--resume", folder, "--threads", "1"], interruptAt: $" 2/{Epochs}");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Interrupted), result.Error);
        Assert.That(result.Output.Split('\n').Where(line => line.StartsWith("warning: ", StringComparison.Ordinal)), Has.One.Items.And.All.Contains("no lock can be taken"));
    }
}
