using Dom.Train.Reproduction;

namespace Dom.Cli.Reproduce;

/// <summary>The result of a reproduction as <c>--json</c> prints it and <c>tableN.json</c> holds it.</summary>
/// <param name="Title">Title of the table, with every change named.</param>
/// <param name="Table">Its number.</param>
/// <param name="Scale">The factor of epochs and images, 1 for the paper's.</param>
/// <param name="Changes">In what the runs differ from the paper's; empty for nothing.</param>
/// <param name="Seeds">Seeds a row.</param>
/// <param name="Status">"finished", "interrupted" or "failed".</param>
/// <param name="Output">The folder.</param>
/// <param name="Rows">The numbers.</param>
/// <param name="Notes">What is to be known of them.</param>
internal sealed record ReproduceFigures(
    string Title, int Table, double Scale, string Changes, int Seeds, string Status, string Output, IReadOnlyList<ReproduceRow> Rows, IReadOnlyList<string> Notes)
{
    public static ReproduceFigures Of(ReproductionPlan plan, string status, IReadOnlyList<CellFigures> figures, IReadOnlyList<string> notes) => new(
        plan.Title, plan.Table.Number, plan.Changes.Scale, plan.Changes.Title, plan.Seeds, status, plan.Output, [.. figures.Select(ReproduceRow.Of)], notes);
}

/// <summary>A number of the table.</summary>
internal sealed record ReproduceRow(
    string Cell, string Method, string Measure, double? Mean, double? Deviation, IReadOnlyList<double> Values,
    double PublishedMean, double? PublishedDeviation, double? Difference)
{
    public static ReproduceRow Of(CellFigures figure) => new(
        figure.Cell.Preset, PaperNames.NameOf(figure.Cell.Method), PaperMeasures.NameOf(figure.Measure), figure.Measured.Mean, figure.Measured.Deviation,
        figure.Measured.Values, figure.Published.Mean, figure.Published.Deviation, figure.Difference);
}
