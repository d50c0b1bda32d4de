using System.Text;

namespace Dom.Cli;

/// <summary>A table in plain text: columns as wide as their widest cell, numbers to the right, nothing but spaces between them.</summary>
/// <param name="titles">One title a column; a title that starts with '&lt;' (which is not shown) aligns its column to the left.</param>
internal sealed class TextTable(params string[] titles)
{
    private readonly List<string[]> _rows = [Array.ConvertAll(titles, title => title.TrimStart('<'))];

    /// <summary>Adds a row; cells that are missing at its end stay empty.</summary>
    public void Add(params IEnumerable<string> cells) => _rows.Add([.. cells]);

    /// <summary>The lines, the titles first.</summary>
    /// <param name="indent">Put before each line.</param>
    public string ToString(string indent)
    {
        var text = new StringBuilder();
        foreach (var row in _rows)
        {
            var line = new StringBuilder(indent);
            for (int column = 0; column < titles.Length; column++)
            {
                string cell = column < row.Length ? row[column] : "";
                int width = _rows.Max(r => column < r.Length ? r[column].Length : 0);
                line.Append(column == 0 ? "" : "  ").Append(titles[column].StartsWith('<') ? cell.PadRight(width) : cell.PadLeft(width));
            }
            text.Append(line.ToString().TrimEnd()).Append('\n');
        }
        return text.ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => ToString("");
}
