namespace Dom.Train.Reproduction;

/// <summary>A number of a table: measured, published, and how they differ.</summary>
/// <param name="Cell">The row.</param>
/// <param name="Measure">The column.</param>
/// <param name="Measured">What the runs gave.</param>
/// <param name="Published">What the paper prints.</param>
public sealed record CellFigures(PaperCell Cell, PaperMeasure Measure, SeedStatistics Measured, PublishedValue Published)
{
    /// <summary>Measured minus published; null where nothing was measured.</summary>
    public double? Difference => Measured.Mean - Published.Mean;

    /// <summary>The numbers of a table, row by row and then column by column, from the folders of the runs that are finished.</summary>
    public static IReadOnlyList<CellFigures> Of(ReproductionPlan plan)
    {
        var figures = new List<CellFigures>();
        foreach (var cell in plan.Cells)
        {
            var runs = plan.Runs.Where(run => run.Cell == cell).Select(FinishedRun.Read).OfType<FinishedRun>().ToArray();
            for (int column = 0; column < plan.Table.Measures.Count; column++)
            {
                var measure = plan.Table.Measures[column];
                var values = runs.Select(run => RunMeasures.Of(measure, run.Metrics, run.AutoAttack)).OfType<double>().ToArray();
                figures.Add(new CellFigures(cell, measure, new SeedStatistics(values), cell.Published[column]));
            }
        }
        return figures;
    }
}
