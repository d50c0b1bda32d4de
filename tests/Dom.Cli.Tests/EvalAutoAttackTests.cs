using System.Text.Json;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

/// <summary>The strong attacks of <c>dom eval</c> on the checkpoint of a tiny run.</summary>
public sealed class EvalAutoAttackTests
{
    private readonly ScratchFolder _scratch = new();
    private RunFolder _folder = null!;
    private int _files;

    [OneTimeSetUp]
    public void Train()
    {
        var result = Cli.Run("train", "--preset", "quick", "--epochs", "3", "--batch", "20", "--out", _scratch["run"]);
        Assert.That(result.Code, Is.Zero, result.Error);
        _folder = new RunFolder(_scratch["run"]);
    }

    [OneTimeTearDown]
    public void Delete() => _scratch.Dispose();

    [Test]
    public void Clean_pgd_and_the_attack_stand_side_by_side()
    {
        var result = Cli.Run(Eval("--attack", "apgd-ce", "--epsilon", "4"));
        Assert.That(result.Code, Is.Zero, result.Error);
        string[] lines = result.Output.Split('\n');
        int titles = Array.FindIndex(lines, line => line.Contains("clean") && line.Contains("PGD-20") && line.Contains("APGD-CE"));
        Assert.That(titles, Is.Not.Negative, result.Output);
        Assert.That(lines[titles + 1].Count(c => c == '%'), Is.EqualTo(3));
        Assert.That(result.Output, Does.Contain("of 40 images").Or.Contains("images fool the network"));
        Assert.That(result.Output, Does.Contain("not AutoAttack's standard evaluation"));
    }

    [Test]
    public void The_standard_evaluation_has_four_attacks_and_shows_what_each_leaves()
    {
        var result = Cli.Run(Eval("--attack", "autoattack", "--epsilon", "2", "--limit-test", "20"));
        Assert.That(result.Code, Is.Zero, result.Error);
        string titles = result.Output.Split('\n').Single(line => line.Contains("clean") && line.Contains("PGD-20"));
        Assert.That(titles.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            Is.EqualTo(new[] { "clean", "PGD-20", "after APGD-CE", "after APGD-T", "after FAB-T", "after Square", "AutoAttack" }));
        Assert.That(result.Output, Does.Not.Contain("not AutoAttack's standard"));
        foreach (string attack in new[] { "APGD-CE", "APGD-T", "FAB-T", "Square" })
            Assert.That(result.Output, Does.Contain($"{attack,-8} fooled the network on"));
    }

    [Test]
    public void A_single_number_of_pgd_comes_with_a_hint() =>
        Assert.That(Cli.Run(Eval("--attack", "pgd-2", "--limit-test", "10")).Output, Does.Contain("--attack autoattack tells"));

    [Test]
    public void The_figures_fit_together()
    {
        var json = Json(Eval("--attack", "apgd-t", "--epsilon", "4"));
        double accuracy = Number(json, "accuracy"), robust = Number(json, "robustAccuracy");
        var attack = json.GetProperty("attacks")[0];
        Assert.Multiple(() =>
        {
            Assert.That(json.GetProperty("attack").GetString(), Is.EqualTo("APGD-T"));
            Assert.That(Number(attack, "attacked"), Is.EqualTo(Math.Round(accuracy * 40)));
            Assert.That(accuracy - Number(attack, "fooled") / 40, Is.EqualTo(robust).Within(1e-9));
            Assert.That(Number(attack, "robustAccuracy"), Is.EqualTo(robust));
            Assert.That(Number(json, "pgd20Accuracy"), Is.InRange(robust - 0.05, accuracy));
            Assert.That(Number(json, "largestChange"), Is.LessThanOrEqualTo(4 / 255.0 + 1e-6));
            Assert.That(json.GetProperty("warnings").GetArrayLength(), Is.Zero);
        });
    }

    [Test]
    public void With_epsilon_zero_the_accuracy_is_the_clean_one()
    {
        var json = Json(Eval("--attack", "apgd-ce", "--epsilon", "0"));
        Assert.That(new[] { Number(json, "robustAccuracy"), Number(json, "pgd20Accuracy") }, Is.All.EqualTo(Number(json, "accuracy")));
    }

    [Test]
    public void An_evaluation_that_was_interrupted_goes_on_to_the_same_end()
    {
        string[] asked = ["--attack", "apgd-ce", "--epsilon", "4", "--attack-batch", "10"];
        string whole = NewFile(), broken = NewFile();
        Json(Eval([.. asked, "--output", whole]));
        using (var cancel = new CancellationTokenSource())
        using (var output = new StringWriter())
        using (var watcher = new FileSystemWatcher(_scratch.Root, Path.GetFileName(broken)))
        {
            // The file appears with the clean accuracy, and again with every batch.
            watcher.Renamed += (_, _) => cancel.CancelAfter(1);
            watcher.EnableRaisingEvents = true;
            int code = CommandLine.Run(Eval([.. asked, "--output", broken]), output, TextWriter.Null, cancel.Token);
            Assert.That(code, Is.EqualTo(ExitCode.Interrupted).Or.Zero);
            if (code == ExitCode.Interrupted)
                Assert.That(output.ToString(), Does.Contain("--resume goes on"));
        }
        Json(Eval([.. asked, "--output", broken, "--resume"]));
        Assert.That(WithoutTime(broken), Is.EqualTo(WithoutTime(whole)));
        Assert.That(Json(Eval([.. asked, "--output", whole, "--resume"])).GetProperty("attacks")[0].GetProperty("attacked").GetInt32(), Is.Positive, "once more at the end");
    }

    [Test]
    public void The_files_verdicts_are_those_of_the_figures()
    {
        string file = NewFile();
        var json = Json(Eval("--attack", "apgd-ce", "--epsilon", "4", "--output", file));
        var state = JsonDocument.Parse(File.ReadAllText(file)).RootElement.GetProperty("state");
        string verdicts = state.GetProperty("verdicts").GetString()!;
        Assert.That(verdicts, Has.Length.EqualTo(40));
        Assert.That(verdicts.Count(v => v == '.') / 40.0, Is.EqualTo(Number(json, "robustAccuracy")));
        Assert.That(verdicts.Count(v => v != 'x') / 40.0, Is.EqualTo(Number(json, "accuracy")));
    }

    [Test]
    public void A_file_of_another_evaluation_is_refused()
    {
        string file = NewFile();
        string[] asked = ["--attack", "apgd-ce", "--output", file];
        Json(Eval([.. asked, "--epsilon", "2", "--limit-test", "10"]));
        Cli.Run(Eval([.. asked, "--epsilon", "2", "--limit-test", "10"])).ShouldFail(ExitCode.WrongUsage, "is there already", "--resume");
        Cli.Run(Eval([.. asked, "--epsilon", "3", "--limit-test", "10", "--resume"])).ShouldFail(ExitCode.Failed, "--epsilon was 2, now it is 3");
        Cli.Run(["eval", "--checkpoint", _folder.BestNatural, .. asked, "--epsilon", "2", "--limit-test", "20", "--resume"])
            .ShouldFail(ExitCode.Failed, "of another evaluation", "--checkpoint was", "--limit-test was 10, now it is 20");
        File.WriteAllText(file, "torn");
        Cli.Run(Eval([.. asked, "--epsilon", "2", "--limit-test", "10", "--resume"])).ShouldFail(ExitCode.Failed, Path.GetFileName(file));
    }

    [TestCase("--attack autoattack --norm l2", "--norm is l2", "maximum norm")]
    [TestCase("--attack autoattack --steps 50", "--steps cannot be given", "its own steps")]
    [TestCase("--attack square --restarts 2", "--restarts cannot be given", "")]
    [TestCase("--attack apgd-t --step-size 1", "--step-size cannot be given", "")]
    [TestCase("--attack pgd --attack-batch 10", "--attack-batch is about", "autoattack")]
    [TestCase("--attack pgd --resume", "--resume is about", "")]
    [TestCase("--attack apgd-ce --resume", "--resume needs --output", "")]
    [TestCase("--attack apgd-ce --attack-batch 0", "--attack-batch is 0", "at least 1")]
    [TestCase("--attack apgd-ce --attack-loss ce", "--attack-loss is 'ce'", "dlr, margin")]
    [TestCase("--attack apgd-ce --output /nowhere/at/all.json", "no folder /nowhere/at", "")]
    [TestCase("--attack autoatack", "--attack is 'autoatack'", "autoattack")]
    [TestCase("--attack apgd-ce --epsilon -1", "--epsilon is -1", "")]
    public void Bad_input_is_named(string options, string said, string also) => Cli.Run(Eval(options.Split(' '))).ShouldFail(ExitCode.WrongUsage, said, also);

    private string NewFile() => _scratch[$"evaluation{_files++}.json"];

    private static string WithoutTime(string file) =>
        System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(file), "\"seconds\": [^\n]*", "");

    // 40 test images; the last of several limits counts.
    private string[] Eval(params string[] more) =>
        ["eval", "--checkpoint", _folder.Last, .. more, .. more.Contains("--limit-test") ? Array.Empty<string>() : ["--limit-test", "40"]];

    private static JsonElement Json(string[] arguments)
    {
        var result = Cli.Run([.. arguments, "--json"]);
        Assert.That(result.Code, Is.Zero, result.Error);
        return JsonDocument.Parse(result.Output).RootElement;
    }

    private static double Number(JsonElement json, string name) => json.GetProperty(name).GetDouble();
}
