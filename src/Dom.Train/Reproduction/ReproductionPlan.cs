using Dom.Train.Training;

namespace Dom.Train.Reproduction;

/// <summary>A run of a reproduction.</summary>
/// <param name="Cell">The row of the table.</param>
/// <param name="Options">The options, with the seed.</param>
/// <param name="Folder">The run's folder.</param>
public sealed record PlannedRun(PaperCell Cell, TrainOptions Options, RunFolder Folder);

/// <summary>The runs that make up a table, and where they lie.</summary>
/// <param name="Table">The table.</param>
/// <param name="Changes">In what they differ from the paper's.</param>
/// <param name="Seeds">How many seeds, from 0 on.</param>
/// <param name="Output">The folder of the reproduction.</param>
/// <param name="Cells">The rows that are wanted.</param>
public sealed record ReproductionPlan(PaperTable Table, ReproductionChanges Changes, int Seeds, string Output, IReadOnlyList<PaperCell> Cells)
{
    /// <summary>"Table 3, scaled by 0.1: PGD-10 adversarial training on ..., test accuracy".</summary>
    public string Title => $"Table {Table.Number}{(Changes.Title.Length > 0 ? $", {Changes.Title}" : "")}: {Table.Title}";

    /// <summary>The runs, row by row and then seed by seed.</summary>
    /// <remarks>
    /// Rows of several tables that are the same run have one folder, named by the first of them: the baselines of table 12 are those of tables 2, 3 and 4.
    /// </remarks>
    public IReadOnlyList<PlannedRun> Runs { get; } =
    [
        .. from cell in Cells
           from seed in Enumerable.Range(0, Seeds)
           select new PlannedRun(cell, Changes.Apply(cell, (ulong)seed), FolderOf(cell, seed, Output)),
    ];

    /// <summary>The row whose runs are those of <paramref name="cell"/>: itself, or the same of an earlier table.</summary>
    public static PaperCell FirstOf(PaperCell cell) => PaperTables.Cells.FirstOrDefault(other => other.Options == cell.Options) ?? cell;

    private static RunFolder FolderOf(PaperCell cell, int seed, string output) =>
        new(System.IO.Path.Combine([output, "runs", .. FirstOf(cell).Preset.Split('/'), $"seed-{seed}"]));
}
