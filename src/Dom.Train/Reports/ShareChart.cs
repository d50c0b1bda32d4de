using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>Shares of a whole at each position as stacked bars, drawn as SVG; the first share lies at the bottom.</summary>
public sealed record ShareChart
{
    private const int Colors = 8;
    private const double Margin = 8;
    private const double PlotHeight = 230;
    private const double LegendRow = 22;

    // More bars than this stand without gaps, as an area.
    private const int MostSeparateBars = 40;

    /// <summary>The name of the picture for screen readers.</summary>
    public required string Title { get; init; }

    /// <summary>Positions on the horizontal axis, ascending, such as epochs.</summary>
    public required IReadOnlyList<double> X { get; init; }

    /// <summary>One name a share, from the bottom up.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>A list of shares a position, from the bottom up.</summary>
    /// <remarks>They are drawn relative to their sum; a sum of 0 or NaN leaves a gap.</remarks>
    public required IReadOnlyList<IReadOnlyList<double>> Shares { get; init; }

    /// <summary>The name of the horizontal axis.</summary>
    public string XLabel { get; init; } = "epoch";

    /// <summary>Vertical lines with a label.</summary>
    public IReadOnlyList<ChartMarker> Markers { get; init; } = [];

    /// <summary>The chart as an <c>svg</c> element for use inside HTML.</summary>
    /// <exception cref="ArgumentException">Not one list a position, or not one share a name.</exception>
    public string Render() => Markup.Text(ToElement());

    internal XElement ToElement()
    {
        if (Shares.Count != X.Count)
        {
            throw new ArgumentException(
                $"chart \"{Title}\": {Shares.Count} lists of shares for {X.Count} positions; one each is needed.");
        }
        if (Shares.FirstOrDefault(s => s.Count != Names.Count) is { } odd)
        {
            throw new ArgumentException(
                $"chart \"{Title}\": a list of {odd.Count} shares for {Names.Count} names; one each is needed.");
        }
        var y = AxisScale.Around([0, 1], 5, AxisFormat.Percent);
        double legendWidth = 34 + Names.Max(PlotFrame.TextWidth);
        var x = PlotFrame.PositionAxis(X);
        double top = Margin + PlotFrame.MarkerRoom(Markers, x);
        var frame = new PlotFrame(PlotFrame.LeftOf(y), top, PlotFrame.ChartWidth - legendWidth, top + PlotHeight, x, y);
        double half = PlotFrame.HalfSpacing(X);
        return PlotFrame.Drawing(Title, frame.Bottom + 38,
            frame.Axes(XLabel), X.Select((x, i) => Bar(frame, x, half, Shares[i])), Legend(frame), frame.Markers(Markers),
            X.Select((x, i) => frame.Strip(x, half, Description(i))));
    }

    private XElement? Bar(PlotFrame frame, double position, double half, IReadOnlyList<double> shares)
    {
        double sum = shares.Sum();
        if (!double.IsFinite(sum) || sum <= 0)
            return null;
        double width = X.Count > MostSeparateBars ? half : half * (X.Count == 1 ? 0.4 : 0.88);
        double from = frame.X(position - width), to = frame.X(position + width);
        var bar = Element("g", Class("bar"));
        double below = 0, lower = frame.Bottom;
        for (int i = 0; i < shares.Count; i++)
        {
            below += shares[i];
            // Rounded here, so that neighbors meet exactly and heights add up to the plot's.
            double upper = Math.Round(frame.Y(below / sum), 2);
            if (lower > upper)
                bar.Add(PlotFrame.Rectangle(from, upper, to - from, lower - upper, "share" + Color(i)));
            lower = upper;
        }
        return bar;
    }

    // In the order of the stack, so that it can be read without colors.
    private IEnumerable<XElement> Legend(PlotFrame frame)
    {
        double row = Math.Min(LegendRow, PlotHeight / Names.Count);
        for (int i = 0; i < Names.Count; i++)
        {
            double y = frame.Bottom - ((i + 1) * row) + ((row - 12) / 2);
            yield return PlotFrame.Rectangle(frame.Right + 10, y, 12, 12, "swatch share" + Color(i));
            yield return PlotFrame.Text(frame.Right + 27, y + 10, "start", "legend", Names[i]);
        }
    }

    // Few shares are spread over the whole range of colors, more than there are colors share them.
    private int Color(int share) => Names.Count == 1 ? 0 : share * (Colors - 1) / (Names.Count - 1);

    // The text lists them as they are stacked: the first one last.
    private string Description(int position) => $"{XLabel} {Number(X[position])}" + string.Concat(
        Names.Select((name, i) => $"\n{name}: {Percent(Shares[position][i])}").Reverse());
}
