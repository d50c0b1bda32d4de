using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>A vertical line across a chart.</summary>
/// <param name="X">Where it stands, in units of the horizontal axis.</param>
/// <param name="Label">What happens there, such as "DOM starts (epoch 6)".</param>
public sealed record ChartMarker(double X, string Label);

/// <summary>The rectangle of a chart in which data are drawn, with its axes; in the units of the drawing, 500 wide.</summary>
internal sealed class PlotFrame(double left, double top, double right, double bottom, AxisScale x, AxisScale y)
{
    /// <summary>Width of every chart. Text is 12 units high, so that it stays readable when a phone shrinks the chart.</summary>
    public const double ChartWidth = 500;

    private const double MarkerRow = 14;

    public double Left => left;

    public double Top => top;

    public double Right => right;

    public double Bottom => bottom;

    public double X(double value) => left + (x.At(value) * (right - left));

    public double Y(double value) => bottom - (y.At(value) * (bottom - top));

    /// <summary>Room that a text needs, estimated on the wide side: the font is the reader's.</summary>
    public static double TextWidth(string text) => text.Length * 7.2;

    /// <summary>Left edge of a plot whose vertical axis is <paramref name="y"/>.</summary>
    /// <remarks>The same for all usual labels, so that charts below each other line up.</remarks>
    public static double LeftOf(AxisScale y) => Math.Max(54, y.Ticks.Max(t => TextWidth(y.Label(t))) + 12);

    /// <summary>Room above a plot that the labels of its markers need.</summary>
    public static double MarkerRoom(IReadOnlyList<ChartMarker> markers, AxisScale x) =>
        markers.Count(m => IsWithin(m, x)) * MarkerRow;

    /// <summary>The whole drawing: a picture with a name for those who cannot see it.</summary>
    public static XElement Drawing(string title, double height, params object?[] content) => Element("svg",
        Class("chart"), Attribute("role", "img"), Attribute("aria-label", title),
        Attribute("viewBox", $"0 0 {Coordinate(ChartWidth)} {Coordinate(height)}"),
        Element("title", title), content);

    public static XElement Text(double x, double y, string anchor, string @class, string text) => Element("text",
        Attribute("x", x), Attribute("y", y), Attribute("text-anchor", anchor), Class(@class), text);

    public static XElement Line(double x1, double y1, double x2, double y2, string @class) => Element("line",
        Attribute("x1", x1), Attribute("y1", y1), Attribute("x2", x2), Attribute("y2", y2), Class(@class));

    public static XElement Rectangle(double x, double y, double width, double height, string @class, params object?[] content) =>
        Element("rect", Attribute("x", x), Attribute("y", y), Attribute("width", width), Attribute("height", height),
            Class(@class), content);

    /// <summary>The axis of positions, with room for half a bar at both ends.</summary>
    public static AxisScale PositionAxis(IReadOnlyList<double> positions)
    {
        if (positions.Count == 0)
            return AxisScale.Exact(0.5, 1.5, 1, wholeNumbers: true);
        double half = HalfSpacing(positions);
        return AxisScale.Exact(positions[0] - half, positions[^1] + half, 8, positions.All(double.IsInteger));
    }

    public static double HalfSpacing(IReadOnlyList<double> positions) => positions.Count < 2
        ? 0.5
        : Enumerable.Range(1, positions.Count - 1).Min(i => positions[i] - positions[i - 1]) / 2;

    public IEnumerable<XElement> Axes(string xLabel)
    {
        foreach (double tick in y.Ticks)
        {
            yield return Line(left, Y(tick), right, Y(tick), "grid");
            yield return Text(left - 6, Y(tick) + 4, "end", "tick", y.Label(tick));
        }
        yield return Line(left, bottom, right, bottom, "axis");
        foreach (double tick in x.Ticks)
        {
            yield return Line(X(tick), bottom, X(tick), bottom + 4, "axis");
            yield return Text(X(tick), bottom + 17, "middle", "tick", x.Label(tick));
        }
        yield return Text((left + right) / 2, bottom + 32, "middle", "label", xLabel);
    }

    /// <summary>Lines across the plot, their labels above it in a row each. Those outside the axis are left out.</summary>
    public IEnumerable<XElement> Markers(IReadOnlyList<ChartMarker> markers)
    {
        double y = top;
        foreach (var marker in markers.Where(m => IsWithin(m, x)))
        {
            double at = X(marker.X);
            bool fitsOnTheRight = at + 5 + TextWidth(marker.Label) <= right;
            yield return Line(at, y - 12, at, bottom, "marker");
            yield return Text(at + (fitsOnTheRight ? 5 : -5), y - 4, fitsOnTheRight ? "start" : "end", "marker-label", marker.Label);
            y -= MarkerRow;
        }
    }

    private static bool IsWithin(ChartMarker marker, AxisScale x) => marker.X >= x.Minimum && marker.X <= x.Maximum;

    /// <summary>An invisible strip over a position that shows <paramref name="text"/> when the pointer rests on it.</summary>
    public XElement Strip(double position, double halfWidth, string text)
    {
        double from = X(position - halfWidth), to = X(position + halfWidth);
        return Rectangle(from, top, to - from, bottom - top, "strip", Element("title", text));
    }
}
