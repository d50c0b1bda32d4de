using System.Text;
using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>A named line of a <see cref="LineChart"/>.</summary>
/// <param name="Name">What the legend says.</param>
/// <param name="Values">One value a position of the chart; NaN and infinity leave a gap.</param>
public sealed record ChartSeries(string Name, IReadOnlyList<double> Values)
{
    /// <summary>Number of the color, 0..5 and then again from the first; the series' place where null.</summary>
    public int? Color { get; init; }

    /// <summary>Number of the dash pattern, 0 (solid)..5 and then again from the first; the series' place where null.</summary>
    public int? Dash { get; init; }
}

/// <summary>Series over a common horizontal axis, drawn as SVG; its colors are style variables of a <see cref="ReportPage"/>.</summary>
public sealed record LineChart
{
    private const int Styles = 6;
    private const double RowHeight = 18;
    private const double SwatchWidth = 26;

    /// <summary>The name of the picture for screen readers.</summary>
    public required string Title { get; init; }

    /// <summary>Positions on the horizontal axis, ascending: epochs, steps, a parameter's values.</summary>
    public required IReadOnlyList<double> X { get; init; }

    /// <summary>The lines.</summary>
    public required IReadOnlyList<ChartSeries> Series { get; init; }

    /// <summary>The name of the horizontal axis, also in the text over a position: "epoch 5".</summary>
    public string XLabel { get; init; } = "epoch";

    /// <summary>The name of the vertical axis, with its unit.</summary>
    public string YLabel { get; init; } = "";

    /// <summary>Vertical lines with a label.</summary>
    public IReadOnlyList<ChartMarker> Markers { get; init; } = [];

    /// <summary>Whether the vertical axis is logarithmic; values that are not positive then leave a gap.</summary>
    public bool IsLogarithmic { get; init; }

    /// <summary>How values are written.</summary>
    public AxisFormat Format { get; init; }

    /// <summary>Height of the plot itself, where the chart is 500 wide.</summary>
    public double PlotHeight { get; init; } = 210;

    /// <summary>The chart as an <c>svg</c> element for use inside HTML.</summary>
    /// <exception cref="ArgumentException">A series has not one value a position.</exception>
    public string Render() => Markup.Text(ToElement());

    internal XElement ToElement()
    {
        if (Series.FirstOrDefault(s => s.Values.Count != X.Count) is { } odd)
            throw new ArgumentException(
                $"chart \"{Title}\": series \"{odd.Name}\" has {odd.Values.Count} values for {X.Count} positions; one each is needed.");
        var values = Series.SelectMany(s => s.Values);
        int intervals = Math.Clamp((int)(PlotHeight / 40), 2, 6);
        var x = PlotFrame.PositionAxis(X);
        var y = IsLogarithmic ? AxisScale.Logarithmic(values, intervals, Format) : AxisScale.Around(values, intervals, Format);
        double left = PlotFrame.LeftOf(y);
        var legend = Legend(left, out double top);
        top += PlotFrame.MarkerRoom(Markers, x);
        var frame = new PlotFrame(left, top, PlotFrame.ChartWidth - 10, top + PlotHeight, x, y);
        double half = PlotFrame.HalfSpacing(X);
        return PlotFrame.Drawing(Title, frame.Bottom + 38,
            legend, frame.Axes(XLabel), Series.Select((s, i) => Curve(frame, s, i)), frame.Markers(Markers),
            X.Select((position, i) => frame.Strip(position, half, Description(i))));
    }

    // The legend flows in rows above the plot, after the name of the vertical axis.
    private List<XElement> Legend(double left, out double height)
    {
        var elements = new List<XElement>();
        double x = left, row = 0;
        if (YLabel.Length > 0)
        {
            elements.Add(PlotFrame.Text(x, RowHeight - 4, "start", "label", YLabel));
            x += PlotFrame.TextWidth(YLabel) + 16;
        }
        for (int i = 0; i < Series.Count; i++)
        {
            double width = SwatchWidth + 6 + PlotFrame.TextWidth(Series[i].Name) + 14;
            if (x > left && x + width > PlotFrame.ChartWidth)
                (x, row) = (left, row + 1);
            double baseline = (row + 1) * RowHeight - 4;
            elements.Add(Element("g", Class(Style(Series[i], i)),
                PlotFrame.Line(x, baseline - 4, x + SwatchWidth, baseline - 4, "swatch-line"),
                HasOnlyDots(Series[i].Values) ? Dot(x + (SwatchWidth / 2), baseline - 4) : null));
            elements.Add(PlotFrame.Text(x + SwatchWidth + 6, baseline, "start", "legend", Series[i].Name));
            x += width;
        }
        height = (row + 1) * RowHeight + 8;
        return elements;
    }

    private XElement Curve(PlotFrame frame, ChartSeries series, int place)
    {
        var path = new StringBuilder();
        var dots = new List<XElement>();
        for (int i = 0; i < X.Count; i++)
        {
            double x = frame.X(X[i]), y = frame.Y(series.Values[i]);
            if (double.IsNaN(y))
                continue;
            bool hasPrevious = i > 0 && !double.IsNaN(frame.Y(series.Values[i - 1]));
            bool hasNext = i + 1 < X.Count && !double.IsNaN(frame.Y(series.Values[i + 1]));
            path.Append(hasPrevious ? 'L' : 'M').Append(Coordinate(x)).Append(' ').Append(Coordinate(y));
            // A value between two gaps would be a line without length.
            if (!hasPrevious && !hasNext)
                dots.Add(Dot(x, y));
        }
        return Element("g", Class("series " + Style(series, place)),
            path.Length > 0 ? Element("path", Attribute("d", path.ToString())) : null, dots);
    }

    // Values that are measured now and then have no neighbors to draw a line to.
    private static bool HasOnlyDots(IReadOnlyList<double> values) =>
        !Enumerable.Range(1, Math.Max(0, values.Count - 1)).Any(i => double.IsFinite(values[i - 1]) && double.IsFinite(values[i]));

    private static XElement Dot(double x, double y) =>
        Element("circle", Attribute("cx", x), Attribute("cy", y), Attribute("r", 4));

    private static string Style(ChartSeries series, int place) =>
        $"line color{(series.Color ?? place) % Styles} dash{(series.Dash ?? place) % Styles}";

    private string Description(int position) => $"{XLabel} {Number(X[position])}" + string.Concat(Series.Select(
        s => $"\n{s.Name}: {(Format == AxisFormat.Percent ? Percent(s.Values[position]) : Number(s.Values[position]))}"));
}
