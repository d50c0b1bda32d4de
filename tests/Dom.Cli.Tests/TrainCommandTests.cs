using System.Globalization;
using System.Text.Json;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

/// <summary><c>dom train</c> as a person runs it, on a tiny part of the embedded images.</summary>
public sealed class TrainCommandTests
{
    private static string[] Tiny(string folder, params string[] more) =>
        ["train", "--preset", "quick", "--batch", "50", "--threads", "2", "--out", folder, .. more];

    [Test]
    public void A_run_leaves_files_that_agree_with_each_other()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run(Tiny(scratch["run"], "--json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        var folder = new RunFolder(scratch["run"]);
        var description = folder.ReadDescription();
        var metrics = folder.ReadMetrics();
        var ledger = LedgerStore.Open(folder.Ledger);
        var json = JsonDocument.Parse(result.Output).RootElement;
        string report = File.ReadAllText(folder.ReportFile);
        Assert.Multiple(() =>
        {
            Assert.That(description.Status, Is.EqualTo("finished"));
            Assert.That(description.CommandLine, Does.StartWith("dom train --preset quick --batch 50"));
            Assert.That(metrics.Select(m => m.Epoch), Is.EqualTo(new[] { 1, 2 }));
            Assert.That((ledger.Epochs, ledger.Samples), Is.EqualTo((2, 200)));
            Assert.That(ledger.ReadRow(LedgerColumns.NaturalCorrect, 1).Average(), Is.EqualTo(metrics[1].TrainAccuracy).Within(1e-6));
            Assert.That(ledger.ReadRow(LedgerColumns.NaturalLoss, 1).Average(), Is.EqualTo(metrics[1].TrainLoss).Within(1e-4));
            Assert.That(json.GetProperty("testAccuracy").GetDouble(), Is.EqualTo(metrics[1].TestAccuracy));
            Assert.That(json.GetProperty("status").GetString(), Is.EqualTo("finished"));
            Assert.That(report, Does.Contain((metrics[1].TestAccuracy * 100).ToString("0.0", CultureInfo.InvariantCulture)));
            Assert.That(report, Does.Contain("Table of 2 epochs").And.Contain(description.DataHash));
            Assert.That(File.Exists(folder.Last) && File.Exists(folder.BestNatural));
        });
    }

    [Test]
    public void With_json_standard_output_is_one_line()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run(Tiny(scratch["run"], "--json"));
        Assert.That(result.Output.TrimEnd(), Does.StartWith("{").And.Not.Contain('\n'));
        Assert.That(result.Error, Does.Contain("epoch 1/2").And.Contain("epoch 2/2"));
    }

    [Test]
    public void Adversarial_training_with_dom_reports_robust_accuracy_and_what_was_removed()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run(Tiny(
            scratch["run"], "--attack", "pgd-2", "--eval-steps", "2", "--dom", "remove", "--threshold", "100", "--warmup", "1", "--json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        var json = JsonDocument.Parse(result.Output).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(json.GetProperty("robustAttack").GetString(), Is.EqualTo("PGD-2"));
            Assert.That(json.GetProperty("testRobustAccuracy").GetDouble(), Is.InRange(0, 1));
            Assert.That(json.GetProperty("removed").GetDouble(), Is.EqualTo(1), "every loss is below 100, so epoch 2 removes every sample");
            Assert.That(File.ReadAllText(new RunFolder(scratch["run"]).ReportFile), Does.Contain("Removed by DOM").And.Contain("PGD-2"));
        });
    }

    [TestCase("augmix", "none", 0.5, 3)]
    [TestCase("randaugment", "rs-fgsm", 0.1, 3)]
    public void Training_with_augmentation_writes_its_defaults_down_and_reports_what_was_augmented(string augmentation, string attack, double strength, int tries)
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run(Tiny(
            scratch["run"], "--attack", attack, "--eval-steps", "1", "--dom", "augment", "--dom-augmentation", augmentation, "--threshold", "100", "--warmup", "1", "--log-steps", "--json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        var json = JsonDocument.Parse(result.Output).RootElement;
        var folder = new RunFolder(scratch["run"]);
        var options = folder.ReadDescription().Options;
        var steps = folder.ReadSteps();
        Assert.Multiple(() =>
        {
            Assert.That((options.DomStrength, options.DomTries), Is.EqualTo((strength, tries)), "the paper's, in run.json");
            Assert.That(json.GetProperty("augmented").GetDouble(), Is.EqualTo(1), "every loss is below 100, so epoch 2 augments every sample");
            Assert.That(json.GetProperty("accepted").GetDouble(), Is.Zero, "and none comes above it");
            Assert.That(json.GetProperty("tries").GetDouble(), Is.EqualTo(tries));
            Assert.That(json.GetProperty("removed").GetDouble(), Is.Zero);
            Assert.That(steps.Where(s => s.Epoch == 2).Select(s => (s.Selected, s.Accepted, s.Tries)), Is.EqualTo(steps.Where(s => s.Epoch == 2).Select(s => ((int?)s.Kept, (int?)0, (int?)(tries * s.Kept)))));
            Assert.That(result.Error, Does.Contain($"augment with {augmentation}, strength {strength.ToString(System.Globalization.CultureInfo.InvariantCulture)}, {tries} tries"));
            Assert.That(File.ReadAllText(folder.ReportFile), Does.Contain("Augmented by DOM"));
        });
    }

    [TestCase("folder ")]
    [TestCase("epoch 1/3")]
    [TestCase("epoch 2/3")]
    public void An_interrupted_run_that_is_resumed_ends_with_the_same_bytes(string moment)
    {
        using var scratch = new ScratchFolder();
        Assert.That(Cli.Run(Tiny(scratch["whole"], "--epochs", "3", "--log-steps")).Code, Is.Zero);
        var interrupted = Cli.Run(Tiny(scratch["stopped"], "--epochs", "3", "--log-steps"), interruptAt: moment);
        Assert.That(interrupted.Code, Is.EqualTo(ExitCode.Interrupted), interrupted.Error);
        Assert.That(interrupted.Output, Does.Contain($"dom train --resume {scratch["stopped"]}"));
        Assert.That(File.ReadAllText(new RunFolder(scratch["stopped"]).ReportFile), Does.Contain("interrupted"));

        var resumed = Cli.Run("train", "--resume", scratch["stopped"], "--threads", "1");
        Assert.That(resumed.Code, Is.Zero, resumed.Error);
        foreach (string file in Directory.GetFiles(Path.Combine(scratch["whole"], "ledger")).Append(new RunFolder(scratch["whole"]).Last).Append(new RunFolder(scratch["whole"]).StepsFile))
        {
            string twin = file.Replace(scratch["whole"], scratch["stopped"], StringComparison.Ordinal);
            Assert.That(File.ReadAllBytes(twin), Is.EqualTo(File.ReadAllBytes(file)), Path.GetFileName(file));
        }
    }

    [Test]
    public void Logged_steps_agree_with_the_figures_of_their_epoch()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run(Tiny(scratch["run"], "--dom", "remove", "--threshold", "2", "--warmup", "1", "--schedule", "cosine", "--log-steps"));
        Assert.That(result.Code, Is.Zero, result.Error);
        var folder = new RunFolder(scratch["run"]);
        var steps = folder.ReadSteps();
        Assert.That(steps.Select(step => (step.Epoch, step.Step)), Is.EqualTo(from epoch in new[] { 1, 2 } from step in new[] { 1, 2, 3, 4 } select (epoch, step)));
        foreach (var metrics in folder.ReadMetrics())
        {
            var own = steps.Where(step => step.Epoch == metrics.Epoch).ToArray();
            Assert.Multiple(() =>
            {
                Assert.That(own.Average(step => step.Loss), Is.EqualTo(metrics.TrainLoss).Within(1e-6));
                Assert.That(1 - own.Sum(step => step.Kept) / 200.0, Is.EqualTo(metrics.Removed).Within(1e-12));
                Assert.That(own[^1].LearningRate, Is.EqualTo(metrics.LearningRate));
                Assert.That(own.Select(step => step.LearningRate), Is.Ordered.Descending);
            });
        }
    }

    [Test]
    public void Steps_are_logged_only_where_that_was_asked_for_when_the_run_was_started()
    {
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"]), interruptAt: "epoch 1/2");
        Assert.That(File.Exists(new RunFolder(scratch["run"]).StepsFile), Is.False);
        Cli.Run("train", "--resume", scratch["run"], "--log-steps").ShouldFail(ExitCode.WrongUsage, "--log-steps cannot be given with --resume");
    }

    [Test]
    public void A_log_of_steps_that_somebody_cut_stops_the_run_from_being_resumed()
    {
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"], "--log-steps"), interruptAt: "epoch 1/2");
        string file = new RunFolder(scratch["run"]).StepsFile;
        File.WriteAllLines(file, File.ReadAllLines(file)[..2]);
        Cli.Run("train", "--resume", scratch["run"]).ShouldFail(ExitCode.Failed, "steps.jsonl", "there are 2 steps, the checkpoint has 4");
    }

    [TestCase(null, "auto")]
    [TestCase("direct", "direct")]
    [TestCase("winograd", "winograd")]
    public void The_way_to_compute_convolutions_is_kept_in_the_description_and_when_the_run_goes_on(string? given, string expected)
    {
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"], given is null ? [] : ["--conv", given]));
        Assert.That(new RunFolder(scratch["run"]).ReadDescription().Convolution, Is.EqualTo(expected));
        Assert.That(SharedOptions.ConvolutionOf(new RunFolder(scratch["run"]).ReadDescription()).ToString().ToLowerInvariant(), Is.EqualTo(expected));
        Cli.Run("train", "--resume", scratch["run"], "--conv", "direct").ShouldFail(ExitCode.WrongUsage, "--conv cannot be given with --resume");
    }

    [Test]
    public void A_run_from_before_there_was_a_choice_goes_on_with_direct_convolutions()
    {
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"]));
        var old = new RunFolder(scratch["run"]).ReadDescription() with { Convolution = null };
        Assert.That(SharedOptions.ConvolutionOf(old), Is.EqualTo(Dom.Kernels.Cpu.ConvolutionMethod.Direct));
    }

    [Test]
    public void A_run_in_bf16_says_so_everywhere_and_is_evaluated_in_bf16_unless_told_otherwise()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run(
            "train", "--data", "embedded", "--model", "mlp", "--limit-train", "20", "--limit-test", "20", "--epochs", "1", "--batch", "10",
            "--precision", "BF16", "--device", "reference", "--out", scratch["run"]);
        Assert.That(result.Code, Is.Zero, result.Error);
        var folder = new RunFolder(scratch["run"]);
        JsonElement Eval(params string[] more) =>
            JsonDocument.Parse(Cli.Run(["eval", "--checkpoint", folder.Last, "--device", "reference", "--json", .. more]).Output).RootElement;
        JsonElement asTrained = Eval(), exact = Eval("--precision", "f32");
        Assert.Multiple(() =>
        {
            Assert.That(result.Output, Does.Contain("reference, bf16"));
            Assert.That(folder.ReadDescription().Options.Precision, Is.EqualTo(Dom.Nn.Precision.BF16));
            Assert.That(File.ReadAllText(folder.ReportFile), Does.Contain("--precision"));
            Assert.That(asTrained.GetProperty("precision").GetString(), Is.EqualTo("bf16"));
            Assert.That(asTrained.GetProperty("loss").GetDouble(), Is.EqualTo(folder.ReadMetrics()[^1].TestLoss));
            Assert.That(exact.GetProperty("precision").GetString(), Is.EqualTo("f32"));
            Assert.That(exact.GetProperty("loss").GetDouble(), Is.Not.EqualTo(asTrained.GetProperty("loss").GetDouble()));
        });
        Cli.Run("eval", "--checkpoint", folder.Last, "--device", "cpu").ShouldFail(ExitCode.WrongUsage, "was trained in bf16", "or --precision f32");
        Cli.Run("train", "--resume", scratch["run"], "--device", "cpu").ShouldFail(ExitCode.WrongUsage, "started with --precision bf16");
        Assert.That(Cli.Run("eval", "--checkpoint", folder.Last, "--device", "cpu", "--precision", "f32").Code, Is.Zero);
        Assert.That(Cli.Run("train", "--resume", scratch["run"]).Output, Does.Contain("is finished"), "on the device that it was started on");
    }

    [Test]
    public void Resuming_a_finished_run_says_so_and_changes_nothing()
    {
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"]));
        byte[] before = File.ReadAllBytes(new RunFolder(scratch["run"]).Last);
        var again = Cli.Run("train", "--resume", scratch["run"]);
        Assert.That(again.Code, Is.Zero, again.Error);
        Assert.That(again.Output, Does.Contain("is finished"));
        Assert.That(File.ReadAllBytes(new RunFolder(scratch["run"]).Last), Is.EqualTo(before));
    }

    [Test]
    public void A_second_run_in_the_same_folder_is_refused_and_told_how_to_resume()
    {
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"]));
        Cli.Run(Tiny(scratch["run"])).ShouldFail(ExitCode.WrongUsage, "there is a run in this folder", "--resume");
    }

    [Test]
    public void A_loss_that_is_not_finite_names_an_operator_and_keeps_the_last_good_checkpoint()
    {
        using var scratch = new ScratchFolder();
        var result = Cli.Run(Tiny(scratch["run"], "--lr", "1e30", "--checkpoint-every", "1", "--json"));
        var folder = new RunFolder(scratch["run"]);
        Assert.Multiple(() =>
        {
            Assert.That(result.Code, Is.EqualTo(ExitCode.Failed));
            Assert.That(result.Output, Is.Empty);
            string line = result.Error.TrimEnd().Split('\n')[^1];
            Assert.That(line, Does.StartWith("dom: error: the loss became").And.Contain("BatchNorm2d").And.Contain(folder.Last).And.Contain("--lr"));
            Assert.That(folder.ReadDescription().Status, Is.EqualTo("failed"));
            Assert.That(Cli.Run("eval", "--checkpoint", folder.Last).Code, Is.Zero, "the checkpoint is whole");
        });
    }

    [Test]
    public void A_torn_checkpoint_is_named_and_nothing_else_is_touched()
    {
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"], "--epochs", "3"), interruptAt: "epoch 1/3");
        var folder = new RunFolder(scratch["run"]);
        byte[] whole = File.ReadAllBytes(folder.Last);
        File.WriteAllBytes(folder.Last, whole[..(whole.Length / 2)]);
        Cli.Run("train", "--resume", scratch["run"]).ShouldFail(ExitCode.Failed, "last.safetensors");
        Cli.Run("eval", "--checkpoint", folder.Last).ShouldFail(ExitCode.Failed, "last.safetensors");

        File.WriteAllBytes(folder.Last, whole);
        Assert.That(Cli.Run("train", "--resume", scratch["run"]).Code, Is.Zero, "with the whole checkpoint back the run goes on");
    }

    [Test]
    public void A_full_disk_stops_the_run_and_keeps_the_last_checkpoint()
    {
        if (!File.Exists("/dev/full"))
            Assert.Ignore("there is no /dev/full here to stand for a full disk");
        using var scratch = new ScratchFolder();
        Cli.Run(Tiny(scratch["run"], "--epochs", "3"), interruptAt: "epoch 1/3");
        var folder = new RunFolder(scratch["run"]);
        byte[] before = File.ReadAllBytes(folder.Last);
        File.CreateSymbolicLink(folder.Last + ".tmp", "/dev/full");
        var result = Cli.Run("train", "--resume", scratch["run"]);
        Assert.That((result.Code, result.Error.Contains("no space left", StringComparison.Ordinal)), Is.EqualTo((ExitCode.Failed, true)), result.Error);
        Assert.That(File.ReadAllBytes(folder.Last), Is.EqualTo(before));
    }

    [Test]
    public void Without_names_the_run_is_the_embedded_preset_and_given_options_override_it()
    {
        using var scratch = new ScratchFolder();
        Cli.Run("train", "--limit-train", "50", "--limit-test", "50", "--epochs", "1", "--seed", "7", "--out", scratch["run"]);
        var options = new RunFolder(scratch["run"]).ReadDescription().Options;
        Assert.That((options.Data, options.Model, options.LabelNoise, options.Epochs, options.Seed), Is.EqualTo(("embedded", "preact-resnet8", 0.2, 1, 7UL)));
    }
}
