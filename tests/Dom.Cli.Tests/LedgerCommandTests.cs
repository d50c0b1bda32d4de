using System.Globalization;
using System.Text.Json;
using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Tests.Data;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

public sealed class LedgerCommandTests
{
    // Four samples, three epochs; sample 3 has a wrong label. Losses are such that every figure can be read off.
    private static readonly float[][] s_losses = [[0.1f, 1.5f, 0.5f, 3f], [0.1f, 0.3f, 0.1f, 2f], [0.05f, 0.7f, 0.1f, 0.1f]];
    private static readonly float[][] s_correct = [[1, 0, 1, 0], [1, 1, 1, 0], [1, 0, 1, 1]];
    private static readonly float[][] s_margins = [[2, -1, 1, -3], [2, 1, 2, -2], [2, 0, 3, 2]];

    [Test]
    public void The_summary_gives_loss_accuracy_ranges_and_the_share_below_the_run_s_threshold()
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 4, Threshold = 0.4 });
        var run = Invocation.Run("ledger", folder.Root);
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero, run.Error);
            Assert.That(run.Lines[0], Does.EndWith("ledger: 4 samples, 3 epochs; T = 0.4 nats"));
            // Epoch 1: (0.1 + 1.5 + 0.5 + 3) / 4, two right, 0.1 | - | 0.5 | - | - | 1.5 and 3, below 0.4 only 0.1.
            Assert.That(run.Output, Does.Match(@"(?m)^ +1 +1\.2750 +50\.0 % +25\.0 % +0\.0 % +25\.0 % +0\.0 % +0\.0 % +50\.0 % +25\.0 %$"));
            // Epoch 3: 0.05, 0.7, 0.1, 0.1.
            Assert.That(run.Output, Does.Match(@"(?m)^ +3 +0\.2375 +75\.0 % +75\.0 % +0\.0 % +0\.0 % +25\.0 % +0\.0 % +0\.0 % +75\.0 %$"));
            Assert.That(run.Output, Does.Contain("3 right and 1 wrong labels"));
            Assert.That(run.Output, Does.Match(@"(?m)^ +1 +0\.7000 +66\.7 % +33\.3 % +3\.0000 +0\.0 % +0\.0 %$"));
            Assert.That(run.Output, Does.Match(@"(?m)^ +3 +0\.2833 +66\.7 % +66\.7 % +0\.1000 +100\.0 % +100\.0 %$"));
            Assert.That(Invocation.Run("ledger", folder.Root, "summary").Output, Is.EqualTo(run.Output));
            Assert.That(Invocation.Run("ledger", folder["ledger"]).Lines[1..], Is.EqualTo(run.Lines[1..]), "the ledger's folder knows its run");
        });
    }

    [Test]
    public void The_summary_as_json_counts_epochs_from_1_and_takes_another_threshold()
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 4 });
        foreach (var arguments in new string[][] { ["ledger", folder.Root, "--threshold", "1", "--json"], ["ledger", folder.Root, "summary", "--json", "--threshold", "1"] })
        {
            var run = Invocation.Run(arguments);
            Assert.That(run.Lines, Has.Length.EqualTo(1), run.Error);
            var json = JsonDocument.Parse(run.Output).RootElement;
            var first = json.GetProperty("natural")[0];
            Assert.Multiple(() =>
            {
                Assert.That(json.GetProperty("threshold").GetDouble(), Is.EqualTo(1));
                Assert.That(json.GetProperty("ranges").EnumerateArray().Select(r => r.GetString()), Is.EqualTo(new[] { "0..0.2", "0.2..0.4", "0.4..0.6", "0.6..0.8", "0.8..1", "1.." }));
                Assert.That(first.GetProperty("epoch").GetInt32(), Is.EqualTo(1));
                Assert.That(first.GetProperty("meanLoss").GetDouble(), Is.EqualTo(1.275).Within(1e-6));
                Assert.That(first.GetProperty("belowThreshold").GetDouble(), Is.EqualTo(0.5));
                Assert.That(first.GetProperty("wrongLabels").GetProperty("samples").GetInt32(), Is.EqualTo(1));
                Assert.That(json.TryGetProperty("adversarial", out _), Is.False);
            });
        }
    }

    [Test]
    public void An_adversarial_run_has_a_second_table_and_wider_ranges()
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Attack = AttackKind.Pgd, Epochs = 4 }, LedgerColumns.AdversarialLoss, LedgerColumns.AdversarialCorrect);
        var run = Invocation.Run("ledger", folder.Root);
        Assert.That(run.Lines[0], Does.EndWith("T = 1.5 nats"), run.Error);
        Assert.That(run.Output, Does.Contain("Natural loss: ").And.Contain("Adversarial loss: ").And.Contain("2..2.5"));
    }

    [Test]
    public void A_ledger_without_a_run_has_the_default_threshold_and_no_groups_without_labels()
    {
        using var folder = new ScratchFolder();
        var store = LedgerStore.Create(folder["alone"], 2, LedgerColumns.Natural);
        store.Append(LedgerColumns.Natural.ToDictionary(name => name, _ => new float[] { 0.1f, 0.3f }));
        var run = Invocation.Run("ledger", folder["alone"]);
        Assert.That(run.Output, Does.Contain("T = 0.2 nats").And.Match(@"(?m)^ +1 .* 50\.0 %$").And.Not.Contain("wrong"), run.Error);
    }

    [Test]
    public void The_export_has_the_asked_epochs_under_numbers_from_0()
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 4 });
        var all = Invocation.Run("ledger", folder.Root, "export");
        var part = Invocation.Run("ledger", folder.Root, "export", "--epochs", "2..3", "--out", folder["part.csv"]);
        Assert.Multiple(() =>
        {
            Assert.That(all.Lines, Has.Length.EqualTo(1 + 3 * 4));
            Assert.That(all.Lines[0], Is.EqualTo("epoch,sample,given_label,true_label,natural_loss,natural_probability,natural_margin,natural_error_norm,natural_correct,natural_prediction"));
            Assert.That(all.Lines[4], Is.EqualTo("0,3,1,0,3,0,-3,0,0,0"));
            Assert.That(part.Output, Does.StartWith(folder["part.csv"]), part.Error);
            Assert.That(File.ReadAllText(folder["part.csv"]), Is.EqualTo(string.Concat(new[] { all.Lines[0] }.Concat(all.Lines[5..]).Select(line => line + "\n"))));
            Assert.That(Invocation.Run("ledger", folder.Root, "export", "--epochs", "2").Lines, Is.EqualTo(new[] { all.Lines[0] }.Concat(all.Lines[5..9])));
            Assert.That(Invocation.Run("ledger", folder.Root, "export", "--epochs", "2..").Lines[1..], Is.EqualTo(all.Lines[5..]));
            Assert.That(Invocation.Run("ledger", folder.Root, "export", "--epochs", "..1").Lines[1..], Is.EqualTo(all.Lines[1..5]));
        });
    }

    [TestCase("0..1")]
    [TestCase("1..4")]
    [TestCase("3..2")]
    [TestCase("..")]
    [TestCase("x")]
    [TestCase("1..2..3")]
    [TestCase("-1")]
    public void A_range_of_epochs_that_the_ledger_has_not_is_wrong_usage(string epochs)
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 4 });
        var run = Invocation.Run("ledger", folder.Root, "export", $"--epochs={epochs}", "--out", folder["x.csv"]);
        Assert.That(run.Code, Is.EqualTo(2));
        Assert.That(run.Error, Does.Contain("from 1 to 3"));
        Assert.That(File.Exists(folder["x.csv"]), Is.False);
    }

    [Test]
    public void The_scores_are_those_that_can_be_counted_by_hand()
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 2, Warmup = 1, Threshold = 0.4 });
        var run = Invocation.Run("ledger", folder.Root, "scores");
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(run.Lines[0], Is.EqualTo("sample,given_label,true_label,first_learned_epoch,forgetting_events,mean_loss,mean_margin,first_over_memorized_epoch"));
        var rows = run.Lines[1..].Select(line => line.Split(',').Select(cell => double.Parse(cell, CultureInfo.InvariantCulture)).ToArray()).ToArray();
        double[][] expected =
        [
            [0, 0, 0, 0, 0, 0.25 / 3, 2, -1], // always confident: original
            [1, 0, 0, 1, 1, 2.5 / 3, 0, 1], // learned, forgotten, over-memorized at epoch 1
            [2, 1, 1, 0, 0, 0.7 / 3, 2, 1],
            [3, 1, 0, 2, 0, 5.1 / 3, -1, 2], // the wrong label, learned last
        ];
        for (int i = 0; i < 4; i++)
            Assert.That(rows[i], Is.EqualTo(expected[i]).Within(1e-6), $"sample {i}");
    }

    [Test]
    public void Scores_before_the_end_of_the_warm_up_say_that_over_memorization_cannot_be_told()
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 30 });
        var run = Invocation.Run("ledger", folder.Root, "scores", "--out", folder["scores.csv"]);
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero);
            Assert.That(run.Error, Does.Contain("the warm-up is 15 epochs, the ledger has 3"));
            Assert.That(File.ReadAllLines(folder["scores.csv"])[1..], Is.All.EndsWith(",-1"));
            Assert.That(Invocation.Run("ledger", folder.Root, "scores", "--warmup", "1").Error, Is.Empty);
        });
    }

    [TestCase("--threshold", "-1")]
    [TestCase("--threshold", "NaN")]
    [TestCase("--warmup", "4")]
    [TestCase("--warmup", "0")]
    [TestCase("--warmup", "x")]
    public void A_threshold_or_warm_up_that_makes_no_sense_is_wrong_usage(string option, string value)
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 4 });
        var run = Invocation.Run("ledger", folder.Root, "scores", option, value);
        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain(option));
    }

    [Test]
    public void A_folder_without_a_ledger_and_a_torn_column_end_the_command_with_a_line_that_names_them()
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 4 });
        using (var file = File.OpenWrite(Path.Combine(folder["ledger"], "natural_loss.npy")))
            file.SetLength(140);
        var torn = Invocation.Run("ledger", folder.Root);
        var absent = Invocation.Run("ledger", folder["nowhere"]);
        var empty = Invocation.Run("ledger", Directory.CreateDirectory(folder["empty"]).FullName);
        var word = Invocation.Run("ledger", folder.Root, "sumary");
        Assert.Multiple(() =>
        {
            Assert.That((torn.Code, absent.Code, empty.Code, word.Code), Is.EqualTo((1, 1, 1, 2)));
            Assert.That(torn.Error, Does.Contain("natural_loss.npy").And.Contain("cut short"));
            Assert.That(absent.Error, Does.Contain("nowhere: no such folder"));
            Assert.That(empty.Error, Does.Contain("holds no ledger"));
            Assert.That(word.Error, Does.Contain("did you mean 'summary'?"));
        });
    }

    [Test]
    public void The_exported_table_reads_in_python_as_the_npy_files_do()
    {
        using var folder = new ScratchFolder();
        Write(folder, new TrainOptions { Epochs = 4 });
        Assert.That(Invocation.Run("ledger", folder.Root, "export", "--out", folder["all.csv"]).Code, Is.Zero);
        string output = SharedData.PythonOrSkip($"""
            import numpy as np
            table = np.genfromtxt('{folder["all.csv"]}', delimiter=',', names=True, dtype=np.float64)
            loss = np.load('{folder["ledger"]}/natural_loss.npy')
            print(np.array_equal(loss, table['natural_loss'].astype(np.float32).reshape(loss.shape)), loss.shape, int(table['epoch'].max()))
            """, "numpy");
        Assert.That(output.Trim(), Is.EqualTo("True (3, 4) 2"));
    }

    private static void Write(ScratchFolder folder, TrainOptions options, params string[] more)
    {
        var run = new RunFolder(folder.Root);
        var store = LedgerStore.Create(run.Ledger, 4, [.. LedgerColumns.Natural, .. more]);
        store.WriteStatic(LedgerColumns.GivenLabel, [0, 0, 1, 1]);
        store.WriteStatic(LedgerColumns.TrueLabel, [0, 0, 1, 0]);
        for (int epoch = 0; epoch < s_losses.Length; epoch++)
        {
            var rows = store.Columns.ToDictionary(name => name, _ => new float[4]);
            rows[LedgerColumns.NaturalLoss] = s_losses[epoch];
            rows[LedgerColumns.NaturalCorrect] = s_correct[epoch];
            rows[LedgerColumns.NaturalMargin] = s_margins[epoch];
            store.Append(rows);
        }
        run.Write(new RunDescription
        {
            Options = options, CommandLine = "dom train", DataHash = "", Device = "cpu", Threads = 1, Version = "1", Started = DateTimeOffset.UnixEpoch, Status = "running",
        });
    }
}
