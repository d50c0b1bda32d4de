namespace Dom.Train.Reproduction;

/// <summary>Keeps a second reproduction from doing the rows that this one does, until it is disposed of.</summary>
/// <remarks>
/// All rows are taken before the first run begins: a second process is told at once, and neither stops hours later at a run of the other. Row by row and
/// not the whole output, as two processes may share a table with different rows.
/// </remarks>
public sealed class RowLocks : IDisposable
{
    private readonly List<ExclusiveLock> _rows = [];

    private RowLocks()
    {
    }

    /// <summary>Why some row is not locked, as a sentence for the user; null where all are.</summary>
    public string? Warning => _rows.Select(row => row.Warning).FirstOrDefault(warning => warning is not null);

    /// <summary>Takes the rows of a plan, and makes their folders for that.</summary>
    /// <exception cref="InUseException">Another process does one of them; none is taken then.</exception>
    /// <exception cref="IOException">A folder cannot be made.</exception>
    public static RowLocks Take(ReproductionPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var locks = new RowLocks();
        try
        {
            // In one order for all processes, so that of two that start together only one is refused.
            foreach (string folder in plan.Runs.Select(run => Path.GetDirectoryName(run.Folder.Path)!).Distinct().Order(StringComparer.Ordinal))
                locks._rows.Add(TakeRow(folder));
            return locks;
        }
        catch
        {
            locks.Dispose();
            throw;
        }
    }

    /// <summary>Gives them back.</summary>
    public void Dispose()
    {
        foreach (var row in _rows)
            row.Dispose();
        _rows.Clear();
    }

    private static ExclusiveLock TakeRow(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{folder}: the folder cannot be made: {e.Message}", e);
        }
        return ExclusiveLock.Take(
            Path.Combine(folder, "reproduce" + ExclusiveLock.Suffix), folder, "choose other rows with --cells or another folder with --output");
    }
}
