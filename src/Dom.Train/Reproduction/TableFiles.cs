namespace Dom.Train.Reproduction;

/// <summary>The files of a table in the folder of a reproduction: as text, with commas, as JSON.</summary>
public static class TableFiles
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>Name of a file.</summary>
    public static string NameOf(PaperTable table, string extension)
    {
        ArgumentNullException.ThrowIfNull(table);
        return $"table{table.Number}.{extension}";
    }

    /// <summary>Replaces them. Another process that does other rows of the table may write them too: one at a time.</summary>
    /// <param name="plan">What the table is of.</param>
    /// <param name="text">For people.</param>
    /// <param name="csv">A line a number.</param>
    /// <param name="json">All of it.</param>
    /// <exception cref="InUseException">Another process has been writing them for longer than that can take.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public static void Write(ReproductionPlan plan, string text, string csv, string json)
    {
        ArgumentNullException.ThrowIfNull(plan);
        Directory.CreateDirectory(plan.Output);
        string first = PathOf("txt");
        using var held = ExclusiveLock.Wait(
            Path.ChangeExtension(first, ExclusiveLock.Suffix), first, "choose another folder with --output", s_patience);
        AtomicFile.WriteText(first, text);
        AtomicFile.WriteText(PathOf("csv"), csv);
        AtomicFile.WriteText(PathOf("json"), json + "\n");

        string PathOf(string extension) => Path.Combine(plan.Output, NameOf(plan.Table, extension));
    }
}
