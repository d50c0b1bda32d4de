using System.CommandLine;

namespace Dom.Cli.Tests;

/// <summary>What a person finds without reading anything else.</summary>
public sealed class HelpTests
{
    private static readonly string[] s_trainOptions =
    [
        "--data", "--data-dir", "--model", "--epochs", "--batch", "--lr", "--seed", "--device", "--threads", "--attack", "--epsilon", "--steps", "--dom",
        "--threshold", "--warmup", "--label-noise", "--limit-train", "--limit-test", "--out", "--resume", "--preset", "--json", "--list-presets",
        "--schedule", "--momentum", "--weight-decay", "--crop-padding", "--no-flip", "--norm", "--step-size", "--eval-steps", "--dom-mode", "--bn-attack",
        "--re-norm", "--remove-set", "--on-collapse", "--ledger-pass", "--noise-magnitude", "--checkpoint-every", "--log-steps", "--conv", "--profile", "--precision",
        "--augment", "--aug-draw", "--dom-augmentation", "--dom-strength", "--dom-tries", "--threshold-kind", "--threshold-factor", "--step-size-ramp", "--loss",
        "--trades-beta",
    ];

    private static readonly string[] s_evalOptions =
    [
        "--checkpoint", "--data", "--data-dir", "--attack", "--epsilon", "--steps", "--step-size", "--norm", "--batch", "--seed", "--limit-test", "--device",
        "--threads", "--model", "--conv", "--profile", "--json", "--precision", "--restarts", "--noise-magnitude",
        "--attack-batch", "--attack-loss", "--output", "--resume",
    ];

    private static readonly string[] s_benchOptions =
        ["--device", "--threads", "--work", "--model", "--batch", "--precision", "--rounds", "--seconds", "--calls", "--peak", "--ladder", "--size", "--json"];

    private static IEnumerable<Command> Commands()
    {
        var root = CommandLine.Root();
        return root.Subcommands.Prepend(root);
    }

    [Test]
    public void Help_of_the_program_names_every_command_and_what_the_exit_codes_mean()
    {
        var help = Cli.Run("--help");
        Assert.That(help.Code, Is.Zero);
        foreach (string part in new[] { "train", "eval", "reproduce", "ledger", "analyze", "check", "bench", "devices", "data", "130 interrupted", "dom train" })
            Assert.That(help.Output, Does.Contain(part));
    }

    [Test]
    public void Help_of_train_lists_every_option_and_examples() => ShouldList(Cli.Run("train", "--help"), s_trainOptions);

    [Test]
    public void Help_of_eval_lists_every_option_and_examples() => ShouldList(Cli.Run("eval", "-h"), s_evalOptions);

    [Test]
    public void Help_of_bench_lists_every_option_and_examples() => ShouldList(Cli.Run("bench", "--help"), s_benchOptions);

    [TestCaseSource(nameof(Commands))]
    public void Every_example_is_a_command_line_that_is_understood(Command command)
    {
        foreach (string example in Examples.Of(command))
        {
            Assert.That(example, Does.StartWith("dom "));
            Assert.That(CommandLine.Root().Parse(example[4..]).Errors, Is.Empty, example);
        }
    }

    [Test]
    public void Without_a_command_the_help_goes_to_standard_error_as_wrong_usage()
    {
        var result = Cli.Run();
        Assert.That((result.Code, result.Output), Is.EqualTo((ExitCode.WrongUsage, "")));
        Assert.That(result.Error, Does.Contain("train"));
    }

    [Test]
    public void List_of_presets_names_the_general_ones_and_every_group_of_the_papers()
    {
        var result = Cli.Run("train", "--list-presets");
        Assert.That(result.Code, Is.Zero);
        foreach (var preset in Dom.Train.Training.Presets.General)
            Assert.That(result.Output, Does.Contain($"  {preset.Name}  "));
        foreach (var cell in Dom.Train.Reproduction.PaperTables.Cells)
            Assert.That(result.Output, Does.Contain($"  table{cell.Table}/{cell.Group}/METHOD  "));
        Assert.That(result.Output.Split('\n'), Has.Length.LessThan(100), "it can be read");
    }

    [Test]
    public void List_of_presets_with_a_filter_names_what_matches_and_what_is_inferred()
    {
        var result = Cli.Run("train", "--list-presets", "table9,dom-pgd-*");
        var names = Dom.Train.Training.Presets.Names.Where(name => name.StartsWith("table9", StringComparison.Ordinal) || name.StartsWith("dom-pgd-", StringComparison.Ordinal));
        Assert.That(result.Code, Is.Zero, result.Error);
        foreach (string name in names)
            Assert.That(result.Output, Does.Contain($"  {name}  "));
        Assert.That(result.Output, Does.Not.Contain("table2").And.Contain("INFER").And.Contain("2048 inputs"));
        Cli.Run("train", "--list-presets", "table99").ShouldFail(ExitCode.WrongUsage, "matches no preset");
    }

    private static void ShouldList(Cli.Result help, string[] options)
    {
        Assert.That(help.Code, Is.Zero);
        Assert.That(help.Output, Does.Contain("Examples:"));
        var listed = help.Output.Split('\n').Select(line => line.Trim().Split(' ')[0]).ToArray();
        Assert.That(options.Except(listed), Is.Empty);
    }
}
