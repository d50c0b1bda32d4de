namespace Dom.Cli;

/// <summary>A line at the bottom of a terminal that is written over again and again; does nothing where the screen is no terminal.</summary>
/// <param name="screen">Where it goes.</param>
internal sealed class LiveLine(Screen screen)
{
    private int _shown;

    /// <summary>Shows a text in place of the one before it, cut to the terminal's width.</summary>
    public void Show(string text)
    {
        if (!screen.IsLive)
            return;
        // The last column stays free: some terminals break the line when it is filled.
        string line = text[..Math.Min(text.Length, screen.Width - 1)];
        screen.Writer.Write('\r' + line.PadRight(_shown));
        screen.Writer.Flush();
        _shown = line.Length;
    }

    /// <summary>Takes the line away, so that others can be written.</summary>
    public void Clear()
    {
        if (!screen.IsLive || _shown == 0)
            return;
        screen.Writer.Write('\r' + new string(' ', _shown) + '\r');
        screen.Writer.Flush();
        _shown = 0;
    }
}
