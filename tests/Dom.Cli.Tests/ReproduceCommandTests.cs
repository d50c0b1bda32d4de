using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dom.Cli.Reproduce;
using Dom.Kernels.Cpu;
using Dom.Train.Reproduction;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

/// <summary><c>dom reproduce</c> on a tiny part of the embedded images.</summary>
public sealed class ReproduceCommandTests
{
    private static readonly ReproductionChanges s_tiny = new()
    {
        Scale = 0.01, Data = "embedded", Model = "preact-resnet8", Batch = 48, LimitTrain = 96, LimitTest = 60,
    };

    // Two rows of table 2 with two seeds: four runs of three epochs, two steps each.
    private static string[] Tiny(string folder, params string[] more) =>
    [
        "reproduce", "2", "--cells", "cifar10/preact-resnet18/baseline,cifar10/preact-resnet18/remove", "--seeds", "2", "--scale", "0.01", "--data", "embedded",
        "--model", "preact-resnet8", "--batch", "48", "--limit-train", "96", "--limit-test", "60", "--device", "cpu", "--threads", "2", "--output", folder, .. more,
    ];

    private static string RunFolderOf(string output, string method, int seed) =>
        Path.Combine(output, "runs", "table2", "cifar10", "preact-resnet18", method, $"seed-{seed}");

    [Test]
    public void Every_row_is_trained_with_every_seed_and_put_beside_the_published_numbers()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run(Tiny(scratch["out"], "--json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        var json = JsonDocument.Parse(result.Output).RootElement;
        string text = File.ReadAllText(Path.Combine(scratch["out"], "table2.txt"));
        string[] csv = File.ReadAllLines(Path.Combine(scratch["out"], "table2.csv"));
        var rows = json.GetProperty("rows").EnumerateArray().ToArray();
        double[] errors =
        [
            .. Enumerable.Range(0, 2).Select(seed => 100 * (1 - new RunFolder(RunFolderOf(scratch["out"], "remove", seed)).ReadMetrics()[^1].TestAccuracy)),
        ];
        double mean = (errors[0] + errors[1]) / 2;
        var last = rows.Single(row => row.GetProperty("method").GetString() == "remove" && row.GetProperty("measure").GetString() == "last-error");
        Assert.Multiple(() =>
        {
            Assert.That(rows, Has.Length.EqualTo(6), "two rows of three columns");
            Assert.That(last.GetProperty("mean").GetDouble(), Is.EqualTo(mean).Within(1e-9));
            // Of two values the sample's deviation is their distance over the root of 2.
            Assert.That(last.GetProperty("deviation").GetDouble(), Is.EqualTo(Math.Abs(errors[0] - errors[1]) / Math.Sqrt(2)).Within(1e-9));
            Assert.That(last.GetProperty("publishedMean").GetDouble(), Is.EqualTo(4.63));
            Assert.That(last.GetProperty("difference").GetDouble(), Is.EqualTo(mean - 4.63).Within(1e-9));
            Assert.That(json.GetProperty("status").GetString(), Is.EqualTo("finished"));
            foreach (string title in new[] { json.GetProperty("title").GetString()!, text.Split('\n')[0], csv[1] })
                Assert.That(title, Does.Contain("Table 2, scaled by 0.01, data embedded, model preact-resnet8"));
            Assert.That(csv, Has.Length.EqualTo(7));
            Assert.That(csv[5], Does.Contain(",table2/cifar10/preact-resnet18/remove,remove,last-error,2,").And.Contain(",4.63,0.19,"));
            Assert.That(text, Does.Contain("DOM_RE").And.Contain("4.63 +- 0.19").And.Contain(mean.ToString("0.00", CultureInfo.InvariantCulture)));
        });
        var options = new RunFolder(RunFolderOf(scratch["out"], "remove", 1)).ReadDescription().Options;
        Assert.That((options.Epochs, options.Warmup, options.Threshold, options.Seed, options.DomMode), Is.EqualTo((3, (int?)1, (double?)0.2, 1ul, Dom.Train.Memorization.DomMode.Code)));
    }

    [TestCase("[2/4]")]
    [TestCase("epoch 2/3")]
    public void Interrupted_and_called_again_it_comes_to_the_same_numbers_and_bytes(string moment)
    {
        using var scratch = new ScratchFolder();
        Assert.That(Cli.Run(Tiny(scratch["whole"])).Code, Is.Zero);
        var stopped = Cli.Run(Tiny(scratch["stopped"]), interruptAt: moment);
        Assert.That(stopped.Code, Is.EqualTo(ExitCode.Interrupted), stopped.Error);
        Assert.That(stopped.Output, Does.Contain("The same command goes on."));
        var again = Cli.Run(Tiny(scratch["stopped"]));
        Assert.That(again.Code, Is.Zero, again.Error);
        foreach (string name in new[] { "table2.csv", "table2.txt" })
            Assert.That(File.ReadAllText(Path.Combine(scratch["stopped"], name)), Is.EqualTo(File.ReadAllText(Path.Combine(scratch["whole"], name))));
        foreach (var (method, seed) in new[] { ("baseline", 0), ("baseline", 1), ("remove", 1) })
        {
            Assert.That(File.ReadAllBytes(new RunFolder(RunFolderOf(scratch["stopped"], method, seed)).Last),
                Is.EqualTo(File.ReadAllBytes(new RunFolder(RunFolderOf(scratch["whole"], method, seed)).Last)), $"{method}, seed {seed}");
        }
    }

    [Test]
    public void Finished_runs_are_not_done_again_and_more_seeds_add_to_them()
    {
        using var scratch = new ScratchFolder();
        Assert.That(Cli.Run(Tiny(scratch["out"])).Code, Is.Zero);
        var written = File.GetLastWriteTimeUtc(new RunFolder(RunFolderOf(scratch["out"], "remove", 1)).Last);
        var again = Cli.Run([.. Tiny(scratch["out"])[..5], "3", .. Tiny(scratch["out"])[6..]]);
        Assert.Multiple(() =>
        {
            Assert.That(again.Code, Is.Zero, again.Error);
            Assert.That(again.Output, Does.Contain("6 runs, 4 of them finished before").And.Contain("[3/6]").And.Not.Contain("[2/6]"));
            Assert.That(File.GetLastWriteTimeUtc(new RunFolder(RunFolderOf(scratch["out"], "remove", 1)).Last), Is.EqualTo(written));
            Assert.That(Cli.Run(Tiny(scratch["out"], "--dry-run")).Output, Does.Contain("finished: dom train --preset table2/cifar10/preact-resnet18/remove"));
        });
    }

    [Test]
    public void A_folder_with_runs_of_other_settings_is_refused_before_anything_is_done()
    {
        using var scratch = new ScratchFolder();
        Assert.That(Cli.Run([.. Tiny(scratch["out"]), "--epochs", "1"]).Code, Is.Zero);
        Cli.Run(Tiny(scratch["out"])).ShouldFail(ExitCode.WrongUsage, "epochs 1", "asks for 3", "--output");
    }

    [Test]
    public void The_commands_of_a_dry_run_make_the_runs_they_stand_for()
    {
        foreach (var changes in new[] { new ReproductionChanges(), s_tiny, new ReproductionChanges { Scale = 0.1, DataDirectory = "data" } })
        {
            foreach (var table in PaperTables.All.Where(table => table.Number != 13))
            {
                foreach (var run in new ReproductionPlan(table, changes, 2, "out", table.Cells).Runs)
                {
                    var arguments = new TrainArguments();
                    var command = new Command("train") { new Option<string>("--out") };
                    arguments.AddTo(command);
                    string typed = ReproduceListing.Command(run, changes, null);
                    var parse = command.Parse(typed.Split(' ')[2..]);
                    Assert.That(parse.Errors, Is.Empty, typed);
                    Assert.That(arguments.Resolve(parse), Is.EqualTo(run.Options), typed);
                }
            }
        }
    }

    [Test]
    public void A_dry_run_shows_settings_published_numbers_and_what_is_inferred_and_leaves_no_folder()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run("reproduce", "7", "--dry-run", "--output", scratch["out"]);
        Assert.Multiple(() =>
        {
            Assert.That(result.Code, Is.Zero, result.Error);
            Assert.That(result.Output, Does.Contain("Table 7: PGD-10").And.Contain("18 runs").And.Contain("threshold 0.75").And.Contain("best PGD-20 % 53.50 +- 0.35"));
            Assert.That(result.Output, Does.Contain("INFER").And.Contain("not begun: dom train --preset table7/svhn/baseline --seed 2"));
            Assert.That(Directory.Exists(scratch["out"]), Is.False);
        });
    }

    [Test]
    public void Without_a_table_all_are_listed_with_what_they_take()
    {
        var result = Cli.Run("reproduce");
        Assert.That(result.Code, Is.Zero, result.Error);
        foreach (string part in new[] { "tiny-imagenet", "cyclical", "hours, 3 seeds", "dom data download" })
            Assert.That(result.Output, Does.Contain(part));
    }

    [Test]
    public void A_run_that_diverges_is_noted_and_the_others_go_on()
    {
        using var scratch = new ScratchFolder();
        var table = PaperTables.Of(2);
        var (bad, good) = (table.Cells[0] with { Options = table.Cells[0].Options with { LearningRate = 1e30 } }, table.Cells[1]);
        using var output = new StringWriter();
        using var backend = new CpuBackend(2);
        var outcome = new ReproduceRunner(new ReproductionPlan(table, s_tiny, 1, scratch["out"], [bad, good]), backend, new Screen(output)).Execute(default);
        Assert.Multiple(() =>
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(ExitCode.Failed));
            Assert.That(outcome.Figures.Status, Is.EqualTo("failed"));
            Assert.That(outcome.Figures.Rows.Select(row => row.Values.Count), Is.EqualTo(new[] { 0, 0, 0, 1, 1, 1 }));
            Assert.That(output.ToString(), Does.Contain("table2/cifar10/preact-resnet18/baseline, seed 0 failed").And.Contain("not measured"));
        });
    }

    [Test]
    public void AutoAttack_is_run_once_for_each_checkpoint_that_the_table_shows_and_kept()
    {
        using var scratch = new ScratchFolder();
        var table = PaperTables.Of(3);
        var plan = new ReproductionPlan(table, s_tiny, 1, scratch["out"], [table.Cells[0]]);
        var seen = new List<string>();
        using var backend = new CpuBackend(2);
        using var output = new StringWriter();
        using var cancel = new CancellationTokenSource();
        // Interrupted in the second of two measurements, it goes on with that one.
        Assert.That(Execute(checkpoint =>
        {
            if (seen.Count == 1)
                cancel.Cancel();
            cancel.Token.ThrowIfCancellationRequested();
            return 0.25;
        }).ExitCode, Is.EqualTo(ExitCode.Interrupted));
        var outcome = Execute(checkpoint => 0.125, CancellationToken.None);
        Assert.Multiple(() =>
        {
            Assert.That(seen, Is.EqualTo(new[] { "best-robust.safetensors", "last.safetensors" }));
            Assert.That(outcome.ExitCode, Is.Zero);
            Assert.That(Mean("best-auto-attack"), Is.EqualTo(25));
            Assert.That(Mean("last-auto-attack"), Is.EqualTo(12.5));
        });

        double? Mean(string measure) => outcome.Figures.Rows.Single(row => row.Measure == measure).Mean;

        ReproduceOutcome Execute(Func<string, double> measure, CancellationToken? token = null) => new ReproduceRunner(plan, backend, new Screen(output))
        {
            AutoAttack = (_, checkpoint, _, _, _) =>
            {
                double accuracy = measure(checkpoint);
                seen.Add(Path.GetFileName(checkpoint));
                return accuracy;
            },
        }.Execute(token ?? cancel.Token);
    }

    [Test]
    public void AutoAttack_finds_no_more_right_than_PGD_and_leaves_the_file_of_its_evaluation()
    {
        using var scratch = new ScratchFolder();
        string[] typed =
        [
            "reproduce", "4", "--cells", "cifar10/baseline", "--seeds", "1", "--epochs", "2", "--data", "embedded", "--model", "mlp", "--batch", "48",
            "--limit-train", "192", "--limit-test", "20", "--device", "cpu", "--threads", "2", "--output", scratch["out"], "--json",
        ];
        var without = Cli.Run([.. typed, "--no-autoattack"]);
        Assert.That(without.Code, Is.Zero, without.Error);
        Assert.That(File.ReadAllText(Path.Combine(scratch["out"], "table4.txt")), Does.Contain("not measured").And.Contain("--no-autoattack"));
        var result = Cli.Run(typed);
        Assert.That(result.Code, Is.Zero, result.Error);
        var rows = JsonDocument.Parse(result.Output).RootElement.GetProperty("rows").EnumerateArray()
            .ToDictionary(row => row.GetProperty("measure").GetString()!, row => row.GetProperty("mean").GetDouble());
        Assert.Multiple(() =>
        {
            Assert.That(rows["last-auto-attack"], Is.InRange(0, rows["last-pgd"]));
            Assert.That(rows["last-pgd"], Is.LessThanOrEqualTo(rows["last-natural"]));
            Assert.That(Directory.GetFiles(scratch["out"], "autoattack-last.json", SearchOption.AllDirectories), Has.Length.EqualTo(1));
        });
    }

    [Test]
    public void The_cost_of_every_method_is_timed_before_and_after_K_and_its_memory_named()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run("reproduce", "13", "--data", "embedded", "--model", "preact-resnet8", "--batch", "32", "--limit-train", "160", "--seeds", "2",
            "--device", "cpu", "--threads", "2", "--output", scratch["out"], "--json");
        Assert.That(result.Code, Is.Zero, result.Error);
        var json = JsonDocument.Parse(result.Output).RootElement;
        var rows = json.GetProperty("rows").EnumerateArray().ToArray();
        double Mean(string method, string measure) => rows.Single(row =>
            row.GetProperty("method").GetString() == method && row.GetProperty("measure").GetString() == measure).GetProperty("mean").GetDouble();
        Assert.Multiple(() =>
        {
            Assert.That(rows, Has.Length.EqualTo(18), "six methods of three columns");
            Assert.That(rows.Select(row => row.GetProperty("values").GetArrayLength()), Is.All.EqualTo(2));
            Assert.That(Mean("remove", "seconds-over-all"), Is.EqualTo((Mean("remove", "seconds-before") + Mean("remove", "seconds-after")) / 2).Within(1e-9));
            Assert.That(File.ReadAllText(Path.Combine(scratch["out"], "table13.txt")),
                Does.StartWith("Table 13, data embedded, model preact-resnet8, batch 32, 160 training images").And.Contain("Peak memory").And.Contain("28.45"));
            Assert.That(Directory.Exists(Path.Combine(scratch["out"], "runs")), Is.False);
        });
    }

    [TestCase("reproduce 13 --scale 0.1", "timed and not trained")]
    [TestCase("reproduce 10", "vision transformer")]
    [TestCase("reproduce 99", "no table 99", "2, 3, 4")]
    [TestCase("reproduce two", "TABLE is 'two'")]
    [TestCase("reproduce 2 --scale 0", "--scale is 0", "above 0")]
    [TestCase("reproduce 2 --scale 2", "--scale is 2")]
    [TestCase("reproduce 2 --scale tiny", "--scale is 'tiny'", "a number")]
    [TestCase("reproduce 2 --seeds 0", "--seeds is 0")]
    [TestCase("reproduce 2 --cells removed", "did you mean 'remove'?")]
    [TestCase("reproduce 2 --model preact-resnet19", "did you mean 'preact-resnet18'?")]
    [TestCase("reproduce 2 --data svhm", "did you mean 'svhn'?")]
    [TestCase("reproduce 2 --epochs 0", "--epochs is 0")]
    [TestCase("reproduce 2 --checkpoint-every -1", "--checkpoint-every is -1")]
    [TestCase("reproduce 2 3", "'3'")]
    public void A_mistake_is_named_with_what_would_be_right(string typed, params string[] said) => Cli.Run(typed.Split(' ')).ShouldFail(ExitCode.WrongUsage, said);

    [Test]
    public void Data_that_are_not_there_are_named_with_the_command_that_brings_them()
    {
        using var scratch = new ScratchFolder();
        Cli.Run("reproduce", "9", "--cells", "baseline", "--device", "cpu", "--data-dir", scratch["data"], "--output", scratch["out"])
            .ShouldFail(ExitCode.Failed, "tiny-imagenet", "dom data download tiny-imagenet");
    }
}
