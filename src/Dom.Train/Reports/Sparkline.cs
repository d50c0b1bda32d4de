using System.Text;
using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>A line the size of a word: one sample's loss over the epochs, with the threshold and one dot.</summary>
internal static class Sparkline
{
    private const double Width = 120, Height = 36, Margin = 4;

    /// <param name="title">What it shows, in words.</param>
    /// <param name="values">One value an epoch; NaN leaves a gap.</param>
    /// <param name="maximum">Value at the upper edge; equal for all samples, so that they can be compared. Larger values are cut.</param>
    /// <param name="threshold">Height of the dotted line.</param>
    /// <param name="dot">Place of the value to be marked, or a negative number for none.</param>
    public static XElement Draw(string title, IReadOnlyList<double> values, double maximum, double threshold, int dot)
    {
        double X(int i) => values.Count < 2 ? Width / 2 : Margin + (i * (Width - (2 * Margin)) / (values.Count - 1));
        double Y(double value) => Height - Margin - (Math.Min(value, maximum) / maximum * (Height - (2 * Margin)));
        var path = new StringBuilder();
        bool drawing = false;
        for (int i = 0; i < values.Count; i++)
        {
            if (!double.IsNaN(values[i]))
                path.Append(drawing ? 'L' : 'M').Append(Coordinate(X(i))).Append(' ').Append(Coordinate(Y(values[i])));
            drawing = !double.IsNaN(values[i]);
        }
        bool hasDot = dot >= 0 && dot < values.Count && !double.IsNaN(values[dot]);
        return Element("svg", Class("spark"), Attribute("role", "img"), Attribute("aria-label", title),
            Attribute("viewBox", $"0 0 {Coordinate(Width)} {Coordinate(Height)}"),
            Element("title", title),
            threshold <= maximum ? PlotFrame.Line(0, Y(threshold), Width, Y(threshold), "threshold") : null,
            path.Length > 0 ? Element("path", Attribute("d", path.ToString())) : null,
            hasDot
                ? Element("circle", Attribute("cx", X(dot)), Attribute("cy", Y(values[dot])), Attribute("r", 3))
                : null);
    }
}
