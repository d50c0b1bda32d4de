using System.CommandLine;
using System.Globalization;
using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors.Backend;
using Dom.Train;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>What options of the same name mean in more than one command.</summary>
internal static class SharedOptions
{
    private static readonly (string Name, ConvolutionMethod Value)[] s_convolutions =
        [("auto", ConvolutionMethod.Auto), ("direct", ConvolutionMethod.Direct), ("winograd", ConvolutionMethod.Winograd)];

    /// <summary>Where to look for named data sets.</summary>
    public static Option<string?> DataDirectory() =>
        Given.Option("--data-dir", "DIR", $"Where named data sets lie: NAME inside DIR, or in DIR itself. Default: {DataSets.DefaultFolder}.");

    /// <summary>Where to compute.</summary>
    public static Option<string?> Device() => Given.Option("--device", Devices.Values, Devices.Help + " Default: auto.");

    /// <summary>On how many threads.</summary>
    public static Option<string?> Threads() =>
        Given.Option("--threads", "N", "Threads of the cpu device; the result does not depend on it. Default: 0, all cores.");

    /// <summary>How the cpu device computes convolutions.</summary>
    public static Option<string?> Convolution(string otherwise = "Default: auto, by shape.") =>
        Given.Option("--conv", "auto|direct|winograd", "How the cpu device computes convolutions: direct, or winograd for 3x3 (with stride 1 about twice as fast, "
            + $"with stride 2 up to 1.4 times; rounding errors about ten times as large). {otherwise}");

    /// <summary>Which type activations have.</summary>
    public static Option<string?> Precision(string otherwise) =>
        Given.Option("--precision", "f32|bf16", "Type in which activations are stored: f32, or bf16, in half the memory; sums, the learned weights and the optimizer stay in f32. "
            + $"The cpu device has f32 only. {otherwise}");

    /// <summary>How far the noise of N-FGSM reaches.</summary>
    public static Option<string?> NoiseMagnitude() =>
        Given.Option("--noise-magnitude", "K", "n-fgsm starts from noise uniform within K times epsilon, K from 0 to 255. Default: 2.");

    /// <summary>Where the time goes.</summary>
    public static Option<string?> Profile() => Given.Option("--profile", "FILE",
        $"Time every kernel call of the first epoch, {Cli.Profile.MostSteps} steps at most; write a Chrome trace (chrome://tracing, ui.perfetto.dev) and print a table. Changes no result.");

    /// <summary>Final figures for programs.</summary>
    public static Option<bool> Json() =>
        Given.Switch("--json", "Print the final figures as one line of JSON on standard output, and everything else on standard error.");

    /// <summary>A data set that was named, or null.</summary>
    /// <exception cref="OptionException">It is neither a known name nor a path.</exception>
    public static string? DataSet(this ParseResult parse, Option<string?> option)
    {
        if (parse.Text(option) is not { } text)
            return null;
        if (DataSets.Names.FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } known)
            return known;
        // What looks like a path is left to the data sets: they know what should be in a folder.
        bool isPath = text.Contains('/') || text.Contains('\\') || text.StartsWith('.') || Path.Exists(text);
        return isPath ? text : throw new OptionException(
            $"{option.Name} is '{text}'; it must be a folder or one of {string.Join(", ", DataSets.Names)}{NearestName.Hint(text, DataSets.Names)}");
    }

    /// <summary>A model that was named, or null.</summary>
    /// <exception cref="OptionException">There is none of that name.</exception>
    public static string? Model(this ParseResult parse, Option<string?> option) => parse.Name(option, ModelCatalog.Names);

    /// <summary>An attack that was named, or null; "pgd-10" is PGD with 10 steps.</summary>
    /// <exception cref="OptionException">There is none of that name, or two numbers of steps were given.</exception>
    /// <param name="parse">The command line.</param>
    /// <param name="attack">Its option for the attack.</param>
    /// <param name="steps">Its option for the steps.</param>
    /// <param name="others">Names that the command understands by itself, for the message.</param>
    public static (AttackKind? Kind, int? Steps) Attack(
        this ParseResult parse, Option<string?> attack, Option<string?> steps, params IEnumerable<string> others)
    {
        int? given = parse.Whole(steps);
        if (parse.Text(attack) is { } text && text.StartsWith("pgd-", StringComparison.OrdinalIgnoreCase)
            && int.TryParse(text.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out int named))
        {
            return given is null || given == named
                ? (AttackKind.Pgd, named)
                : throw new OptionException($"{attack.Name} {text} and {steps.Name} {given} contradict each other; give one of them.");
        }
        (string Name, AttackKind Value)[] known =
        [
            ("none", AttackKind.None), ("fgsm", AttackKind.Fgsm), ("rs-fgsm", AttackKind.RsFgsm), ("n-fgsm", AttackKind.NFgsm), ("pgd", AttackKind.Pgd),
            .. others.Select(name => (name, AttackKind.None)),
        ];
        return (parse.Choice(attack, known), given);
    }

    /// <summary>The type of activations that was named, or null.</summary>
    /// <exception cref="OptionException">There is none of that name.</exception>
    public static Precision? Precision(this ParseResult parse, Option<string?> option) =>
        parse.Choice(option, ("f32", Nn.Precision.F32), ("bf16", Nn.Precision.BF16));

    /// <summary>The way to compute convolutions that was named, or null.</summary>
    /// <exception cref="OptionException">There is none of that name.</exception>
    public static ConvolutionMethod? Convolution(this ParseResult parse, Option<string?> option) => parse.Choice(option, s_convolutions);

    /// <summary>The way to compute convolutions that a run was started with; runs that say nothing are older than the choice, and were direct.</summary>
    public static ConvolutionMethod ConvolutionOf(RunDescription description) =>
        Array.Find(s_convolutions, known => known.Name == (description.Convolution ?? "direct")) is { Name: not null } known
            ? known.Value
            : throw new OptionException($"run.json says convolution '{description.Convolution}'; this version knows {string.Join(", ", s_convolutions.Select(c => c.Name))}.");

    /// <summary>How a backend computes convolutions, as a run's description says it; null where it has one way.</summary>
    public static string? NameOfConvolution(IBackend backend) => backend switch
    {
        DecoratingBackend decorator => NameOfConvolution(decorator.Inner),
        CpuBackend cpu => s_convolutions.First(known => known.Value == cpu.Convolution).Name,
        _ => null,
    };

    /// <summary>The ball of an attack, or null.</summary>
    public static AttackNorm? Norm(this ParseResult parse, Option<string?> option) =>
        parse.Choice(option, ("linf", AttackNorm.Linf), ("l2", AttackNorm.L2));
}
