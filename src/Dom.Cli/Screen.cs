using Spectre.Console;

namespace Dom.Cli;

/// <summary>Where a command writes for people: tables, lines and, on a terminal, a line that changes.</summary>
internal sealed class Screen
{
    private const int WidthOfFiles = 120;

    /// <summary>A screen over a writer; it is live where the writer is the console and the console is a terminal.</summary>
    public Screen(TextWriter writer)
    {
        Writer = writer;
        IsLive = Environment.GetEnvironmentVariable("TERM") != "dumb"
            && ((ReferenceEquals(writer, Console.Out) && !Console.IsOutputRedirected)
                || (ReferenceEquals(writer, Console.Error) && !Console.IsErrorRedirected));
    }

    /// <summary>The writer.</summary>
    public TextWriter Writer { get; }

    /// <summary>Whether a person watches: a line may be overwritten.</summary>
    public bool IsLive { get; }

    /// <summary>Columns of the terminal.</summary>
    public int Width => IsLive && Console.WindowWidth > 20 ? Console.WindowWidth : WidthOfFiles;

    /// <summary>Writes names with a text each, wrapped between words to the width of the screen and indented behind the names.</summary>
    /// <remarks>Every run begins with such a list, so it must not wait for the library that draws tables.</remarks>
    public void List(params IReadOnlyList<(string Name, string Text)> items)
    {
        int indent = items.Max(item => item.Name.Length) + 1;
        foreach (var (name, text) in items)
        {
            string line = name.PadRight(indent);
            int used = 0;
            foreach (string word in text.Split(' '))
            {
                if (used > 0 && line.Length + 1 + word.Length > Width)
                {
                    Writer.WriteLine(line);
                    (line, used) = (new string(' ', indent), 0);
                }
                line += used++ > 0 ? $" {word}" : word;
            }
            Writer.WriteLine(line);
        }
    }

    /// <summary>Writes a table. Cells are plain text; brackets mean nothing.</summary>
    /// <param name="headers">Names of the columns.</param>
    /// <param name="rows">Cells, as many a row as there are columns.</param>
    public void Table(IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows)
    {
        // In a file the spaces that fill the last column up would only be in the way.
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(IsLive ? Writer : text),
            Ansi = IsLive ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = IsLive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
        });
        console.Profile.Width = Width;
        var table = new Table { Border = TableBorder.Simple };
        for (int i = 0; i < headers.Count; i++)
            table.AddColumn(new TableColumn(new Text(headers[i])) { NoWrap = i == 0 });
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        console.Write(table);
        if (!IsLive)
        {
            foreach (string line in text.ToString().TrimEnd().Split('\n'))
                Writer.WriteLine(line.TrimEnd());
        }
    }
}
