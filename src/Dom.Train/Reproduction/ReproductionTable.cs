using System.Globalization;
using System.Text;

namespace Dom.Train.Reproduction;

/// <summary>The result of a reproduction as text and as comma-separated values.</summary>
public static class ReproductionTable
{
    private static readonly CultureInfo s_culture = CultureInfo.InvariantCulture;

    /// <summary>A table for people: a line a number, a block a row of the paper's table.</summary>
    public static string Text(ReproductionPlan plan, IReadOnlyList<CellFigures> figures, IReadOnlyList<string> notes)
    {
        string[] header = ["", "", "measured", "published", "difference", "seeds"];
        var rows = new List<string[]>();
        string group = "";
        foreach (var cell in figures.GroupBy(each => each.Cell))
        {
            if (cell.Key.Group != group)
                rows.Add([group = cell.Key.Group]);
            string name = "  " + PaperNames.LabelOf(cell.Key.Method);
            foreach (var figure in cell)
            {
                rows.Add([name, PaperMeasures.LabelOf(figure.Measure), $"{figure.Measured}", $"{figure.Published}",
                    figure.Difference is { } difference ? difference.ToString("+0.00;-0.00;0.00", s_culture) : "", $"{figure.Measured.Count}"]);
                name = "";
            }
        }
        var text = new StringBuilder(plan.Title).Append("\n\n");
        int[] widths = [.. header.Select((title, i) => rows.Where(row => row.Length > 1).Select(row => row[i].Length).Append(title.Length).Max())];
        foreach (var row in rows.Prepend(header))
        {
            var cells = row.Length == 1 ? row : row.Select((value, i) => i < 2 ? value.PadRight(widths[i]) : value.PadLeft(widths[i]));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }
        return text.Append('\n').Append(string.Concat(notes.Select(note => note + "\n"))).ToString();
    }

    /// <summary>A line a number; the first line names the columns.</summary>
    public static string Csv(ReproductionPlan plan, IReadOnlyList<CellFigures> figures)
    {
        var text = new StringBuilder("title,table,cell,method,measure,seeds,mean,deviation,published_mean,published_deviation,difference,values\n");
        foreach (var figure in figures)
        {
            string[] fields =
            [
                $"\"{plan.Title.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", $"{figure.Cell.Table}", figure.Cell.Preset, PaperNames.NameOf(figure.Cell.Method),
                PaperMeasures.NameOf(figure.Measure), $"{figure.Measured.Count}", Number(figure.Measured.Mean), Number(figure.Measured.Deviation),
                Number(figure.Published.Mean), Number(figure.Published.Deviation), Number(figure.Difference),
                string.Join(' ', figure.Measured.Values.Select(value => Number(value))),
            ];
            text.Append(string.Join(',', fields)).Append('\n');
        }
        return text.ToString();
    }

    // Twelve digits are more than any measurement has, and leave out what rounding in binary adds behind them.
    private static string Number(double? value) => value?.ToString("G12", s_culture) ?? "";
}
