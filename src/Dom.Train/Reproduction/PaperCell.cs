using Dom.Train.Training;

namespace Dom.Train.Reproduction;

/// <summary>A row of a result table of the DOM paper: one setting, trained with several seeds.</summary>
/// <param name="Table">Number of the table.</param>
/// <param name="Group">Data set, with network or paradigm where the table has several: "cifar10/preact-resnet18".</param>
/// <param name="Method">The method.</param>
/// <param name="Options">The settings; the seed is 0.</param>
/// <param name="Inferred">Which settings the paper leaves open and how they were filled in; null for none.</param>
public sealed record PaperCell(int Table, string Group, PaperMethod Method, TrainOptions Options, string? Inferred)
{
    /// <summary>"cifar10/preact-resnet18/remove".</summary>
    public string Name => $"{Group}/{PaperNames.NameOf(Method)}";

    /// <summary>Name of the preset: "table2/cifar10/preact-resnet18/remove".</summary>
    public string Preset => $"table{Table}/{Name}";

    /// <summary>The numbers that the paper prints, one a column of the table.</summary>
    public IReadOnlyList<PublishedValue> Published => PublishedValues.Of(Table, Name);
}
