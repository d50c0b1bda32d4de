namespace Dom.Cli;

/// <summary>Shows how far the reading of a data set is that has a file for each picture: a line that changes, on a terminal.</summary>
internal static class ReadingLine
{
    /// <summary>What to give to whoever reads; the line goes away with the last picture.</summary>
    public static Action<int, int> On(Screen screen)
    {
        var line = new LiveLine(screen);
        return (done, total) =>
        {
            if (done < total)
                line.Show(FormattableString.Invariant($"reading pictures {done:N0}/{total:N0}"));
            else
                line.Clear();
        };
    }
}
