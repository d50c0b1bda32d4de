using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;

namespace Dom.Train.Training;

/// <summary>Options under a name.</summary>
/// <param name="Name">What <c>--preset</c> takes.</param>
/// <param name="Description">What it is for, in a sentence.</param>
/// <param name="Options">The options; a person overrides single ones.</param>
/// <param name="Inferred">Which of them the paper leaves open and how they were filled in; null for none.</param>
public sealed record Preset(string Name, string Description, TrainOptions Options, string? Inferred = null)
{
    /// <summary>The options for a run of another length: a warm-up that the preset names and the ramp of the attack's step keep their share of the epochs.</summary>
    /// <param name="epochs">Epochs of the run, at least 1.</param>
    public TrainOptions ForEpochs(int epochs) => Options with
    {
        Epochs = epochs,
        StepSizeRamp = Options.StepSizeRamp * epochs / Options.Epochs,
        Warmup = Options.Warmup is { } warmup ? (int)Math.Round((double)warmup * epochs / Options.Epochs) : null,
    };
}

/// <summary>The settings of the DOM paper, row by row of its tables and the main ones under shorter names, and two small ones to start with.</summary>
/// <remarks>
/// Common to the shorter names (DOM, ICLR 2024, section 4 and table 1): PreActResNet-18, batch 128, SGD with momentum 0.9 and weight decay 5e-4 on all
/// parameters, reflect-padded crop and flip, epsilon 8/255, a warm-up of half the epochs. T and the step size are left to the defaults of
/// <see cref="TrainOptions"/> and <see cref="AttackOptions"/> where those are the paper's, so that they follow an overridden attack or epsilon;
/// so is the mode, paper. The rows of tables, of which <see cref="Reproduction.PaperTables"/> tells, have fixed values and the mode of the authors' code.
/// </remarks>
public static class Presets
{
    /// <summary>The preset of a run for which neither data nor a preset is named.</summary>
    public const string Default = "embedded";

    private static readonly TrainOptions s_natural = new()
    {
        Data = "cifar10",
        Model = "preact-resnet18",
        Epochs = 300,
        Batch = 128,
        LearningRate = 0.1,
        Schedule = ScheduleKind.Piecewise,
        Momentum = 0.9,
        WeightDecay = 5e-4,
        CropPadding = 4,
        Flip = true,
    };

    private static readonly TrainOptions s_pgd = s_natural with
    {
        Attack = AttackKind.Pgd,
        Epsilon = 8,
        Steps = 10,
        Epochs = 200,
    };

    private static readonly TrainOptions s_fgsm = s_natural with
    {
        Attack = AttackKind.RsFgsm,
        Epsilon = 8,
        Epochs = 100,
        LearningRate = 0.2,
        Schedule = ScheduleKind.Triangular,
    };

    // Chosen so that two phases can be told apart: for fifteen epochs the network learns what the shapes look like and hardly a wrong label, and
    // test accuracy comes to its best; then it learns the wrong labels by heart, and test accuracy falls. K lies between the two.
    private static readonly TrainOptions s_embedded = new()
    {
        Data = "embedded",
        Model = "preact-resnet8",
        Epochs = 60,
        Batch = 32,
        LearningRate = 0.03,
        Schedule = ScheduleKind.Cosine,
        Momentum = 0.9,
        WeightDecay = 0,
        CropPadding = 1,
        Flip = false,
        LabelNoise = 0.2,
        Warmup = 15,
    };

    /// <summary>The presets that are not a row of one of the paper's tables, the default one first.</summary>
    public static IReadOnlyList<Preset> General { get; } =
    [
        new(Default, "Natural training on the embedded set, 20 % of its labels wrong: shows memorization within a minute or two.", s_embedded),
        new("quick", "Two epochs on 200 embedded images: to see whether everything works.", s_embedded with
        {
            Epochs = 2, Warmup = 1, LimitTrain = 200, LimitTest = 100,
        }),
        .. Pair("natural", "Natural training", s_natural, 0.45, s_natural.Epochs),
        .. Pair("pgd", "Adversarial training with PGD-10", s_pgd, 4, s_pgd.Epochs),
        .. Pair("fgsm", "Adversarial training with RS-FGSM", s_fgsm, 4.6, 50),
    ];

    /// <summary>All presets: the general ones, then the rows of the paper's tables, such as "table3/cifar10/remove".</summary>
    public static IReadOnlyList<Preset> All { get; } =
    [
        .. General,
        .. Reproduction.PaperTables.Cells.Select(cell => new Preset(cell.Preset,
            $"Table {cell.Table} of the paper: {Reproduction.PaperNames.LabelOf(cell.Method)} on {cell.Group}.", cell.Options, cell.Inferred)),
    ];

    /// <summary>The names of all presets.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(preset => preset.Name)];

    /// <summary>What a run on the given data starts from where no preset is named.</summary>
    /// <param name="data">Name of a data set or path of a folder.</param>
    public static TrainOptions ForData(string data) => data.ToLowerInvariant() switch
    {
        "embedded" => s_embedded,
        // A mirrored digit is another sign, or none.
        "mnist" or "mnist-t10k" => new TrainOptions { Data = data, CropPadding = 2, Flip = false },
        "svhn" or "svhn-extra" => new TrainOptions { Data = data, Flip = false },
        "tiny-imagenet" => new TrainOptions { Data = data, CropPadding = 8 },
        _ => new TrainOptions { Data = data },
    };

    /// <summary>The preset of a name, in small or capital letters.</summary>
    /// <exception cref="OptionException">There is none of that name.</exception>
    public static Preset Find(string name) =>
        All.FirstOrDefault(preset => preset.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? throw new OptionException(
            $"--preset '{name}' is not a preset{NearestName.Hint(name, Names)} 'dom train --list-presets' shows them.");

    /// <summary>The baseline and DOM_RE on CIFAR-10, and the same on CIFAR-100.</summary>
    private static IEnumerable<Preset> Pair(string name, string paradigm, TrainOptions options, double threshold100, int epochs100)
    {
        var options100 = options with { Data = "cifar100", Threshold = threshold100, Epochs = epochs100 };
        yield return new($"dom-{name}", $"{paradigm} on CIFAR-10: the paper's baseline.", options);
        yield return new($"dom-{name}-remove", $"{paradigm} on CIFAR-10 with DOM_RE.", options with { Dom = DomAction.Remove });
        yield return new($"dom-{name}-cifar100", $"{paradigm} on CIFAR-100: the paper's baseline.", options100);
        yield return new($"dom-{name}-remove-cifar100", $"{paradigm} on CIFAR-100 with DOM_RE.", options100 with { Dom = DomAction.Remove });
    }
}
