using Dom.Train.Optimizers;
using Dom.Train.Training;

namespace Dom.Train.Reproduction;

/// <summary>A result table of the DOM paper.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Measures">Its columns.</param>
/// <param name="Cells">Its rows.</param>
public sealed record PaperTable(int Number, string Title, IReadOnlyList<PaperMeasure> Measures, IReadOnlyList<PaperCell> Cells);

/// <summary>
/// The result tables of the DOM paper (Lin et al., ICLR 2024) that can be reproduced: all but table 10, which needs a pre-trained vision transformer. Every
/// row is a preset, made from <see cref="PaperSettings"/>.
/// </summary>
public static class PaperTables
{
    private const string PreActResNet = "preact-resnet18", WideResNet = "wide-resnet34-10";

    private static readonly PaperMethod[] s_methods = Enum.GetValues<PaperMethod>();
    private static readonly PaperMeasure[] s_errors = [PaperMeasure.BestError, PaperMeasure.LastError, PaperMeasure.ErrorDifference];

    private static readonly PaperMeasure[] s_last = [PaperMeasure.LastNatural, PaperMeasure.LastPgd, PaperMeasure.LastAutoAttack];

    private static readonly PaperMeasure[] s_bestAndLast = [PaperMeasure.BestNatural, PaperMeasure.BestPgd, PaperMeasure.BestAutoAttack, .. s_last];

    /// <summary>The tables, lowest number first.</summary>
    public static IReadOnlyList<PaperTable> All { get; } =
    [
        new(2, "natural training on CIFAR-10 and CIFAR-100, test error", s_errors, OnBothNetworks(2, "cifar10", "cifar100")),
        new(3, "PGD-10 adversarial training on CIFAR-10 and CIFAR-100, test accuracy", s_bestAndLast, Plain(3, PaperParadigm.Pgd, "cifar10", "cifar100")),
        new(4, "RS-FGSM adversarial training on CIFAR-10 and CIFAR-100, test accuracy after the last epoch", s_last,
            Plain(4, PaperParadigm.Fgsm, "cifar10", "cifar100")),
        new(6, "natural training on SVHN, test error", s_errors, OnBothNetworks(6, "svhn")),
        new(7, "PGD-10 adversarial training on SVHN, test accuracy", s_bestAndLast, Plain(7, PaperParadigm.Pgd, "svhn")),
        new(8, "RS-FGSM adversarial training on SVHN, test accuracy after the last epoch", s_last, Plain(8, PaperParadigm.Fgsm, "svhn")),
        new(9, "natural training on Tiny ImageNet, test error", s_errors, Plain(9, PaperParadigm.Natural, "tiny-imagenet")),
        new(11, "natural training on CIFAR-10 with a cyclical learning rate, test error", s_errors, Cyclical()),
        new(12, "adaptive threshold, test error (under PGD-20 in adversarial training)", s_errors, Adaptive()),
        new(13, "cost of natural training on CIFAR-10",
            [PaperMeasure.SecondsBefore, PaperMeasure.SecondsAfter, PaperMeasure.SecondsOverAll], Plain(13, PaperParadigm.Natural, "cifar10")),
    ];

    /// <summary>All rows of the tables of results; those of table 13 are timed and not trained.</summary>
    public static IReadOnlyList<PaperCell> Cells { get; } = [.. All.Where(table => table.Number != 13).SelectMany(table => table.Cells)];

    /// <summary>The table of a number.</summary>
    /// <exception cref="OptionException">There is none that can be reproduced.</exception>
    public static PaperTable Of(int number) => All.FirstOrDefault(table => table.Number == number) ?? throw new OptionException(number switch
    {
        10 => "Table 10 cannot be reproduced: it is of a vision transformer that was trained before on other images, which is not part of this version.",
        1 or 5 => $"Table {number} of the paper lists settings, not results; 'dom train --list-presets table' shows what was made of it.",
        _ => $"There is no table {number} to reproduce; there are {string.Join(", ", All.Select(table => table.Number))}.",
    });

    private static PaperCell[] OnBothNetworks(int table, params string[] data) =>
    [
        .. from name in data
           from network in new[] { PreActResNet, WideResNet }
           from method in s_methods
           select Cell(table, $"{name}/{network}", PaperSettings.Of(name, PaperParadigm.Natural), method, options => options with { Model = network },
               network == WideResNet ? "T, beta and gamma as for PreActResNet-18" : null),
    ];

    private static PaperCell[] Plain(int table, PaperParadigm paradigm, params string[] data) =>
        [.. from name in data from method in s_methods select Cell(table, name, PaperSettings.Of(name, paradigm), method)];

    private static PaperCell[] Cyclical() =>
    [
        .. from method in s_methods
           select Cell(11, "cifar10", PaperSettings.Of("cifar10", PaperParadigm.Natural), method,
               options => options with { Schedule = ScheduleKind.Triangular, LearningRate = 0.2 }, "all but the learning rate as in table 2"),
    ];

    private static PaperCell[] Adaptive()
    {
        (string Data, PaperParadigm Paradigm, PaperMethod[] Methods)[] rows =
        [
            ("cifar10", PaperParadigm.Natural, s_methods),
            ("cifar100", PaperParadigm.Natural, s_methods[..2]),
            ("cifar10", PaperParadigm.Pgd, s_methods[..2]),
            ("cifar10", PaperParadigm.Fgsm, s_methods[..2]),
        ];
        return
        [
            .. from row in rows
               from method in row.Methods
               select Cell(12, $"{row.Data}/{PaperNames.NameOf(row.Paradigm)}", PaperSettings.Of(row.Data, row.Paradigm), method,
                   options => PaperOptions.HasDom(method) ? PaperOptions.Adaptive(options) : options,
                   PaperOptions.HasDom(method) ? "the paper's '40 %' is taken as 0.4 times the batch's mean loss" : null),
        ];
    }

    private static PaperCell Cell(
        int table, string group, PaperSettings settings, PaperMethod method, Func<TrainOptions, TrainOptions>? change = null, string? inferred = null)
    {
        var options = PaperOptions.Of(settings, method);
        string notes = string.Join("; ", new[] { settings.Inferred, inferred, PaperOptions.InferredOf(method) }.OfType<string>());
        return new PaperCell(table, group, method, change is null ? options : change(options), notes.Length == 0 ? null : notes);
    }
}
