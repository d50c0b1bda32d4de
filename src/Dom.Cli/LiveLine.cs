namespace Dom.Cli;

/// <summary>A line at the bottom of a terminal that is written over again and again; does nothing where the writer is no terminal.</summary>
/// <param name="writer">Where it goes.</param>
/// <param name="isLive">Whether that is a terminal, see <see cref="IsTerminal"/>.</param>
internal sealed class LiveLine(TextWriter writer, bool isLive)
{
    private int _shown;

    /// <summary>Whether the line is shown at all.</summary>
    public bool IsLive => isLive;

    /// <summary>Whether a person watches what is written there: it is the console and not a file, a pipe or a test.</summary>
    public static bool IsTerminal(TextWriter writer) =>
        ((ReferenceEquals(writer, Console.Out) && !Console.IsOutputRedirected) || (ReferenceEquals(writer, Console.Error) && !Console.IsErrorRedirected))
        && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>Shows a text in place of the one before it, cut to the terminal's width.</summary>
    public void Show(string text)
    {
        if (!isLive)
            return;
        // The last column stays free: some terminals break the line when it is filled.
        string line = text[..Math.Min(text.Length, Math.Max(20, Width() - 1))];
        writer.Write('\r' + line.PadRight(_shown));
        writer.Flush();
        _shown = line.Length;
    }

    /// <summary>Takes the line away, so that others can be written.</summary>
    public void Clear()
    {
        if (!isLive || _shown == 0)
            return;
        writer.Write('\r' + new string(' ', _shown) + '\r');
        writer.Flush();
        _shown = 0;
    }

    private static int Width()
    {
        try
        {
            return Console.WindowWidth > 0 ? Console.WindowWidth : 80;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return 80;
        }
    }
}
