using System.Xml.Linq;

namespace Dom.Train.Reports;

/// <summary>A chart as a file of its own: the page's style goes with it, and it has a background.</summary>
internal static class StandaloneChart
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    /// <summary>The text of an SVG file.</summary>
    /// <param name="chart">The <c>svg</c> element of a chart.</param>
    public static string Render(XElement chart)
    {
        var copy = new XElement(chart);
        foreach (var element in copy.DescendantsAndSelf())
            element.Name = s_svg + element.Name.LocalName;
        string[] corner = ((string)copy.Attribute("viewBox")!).Split(' ');
        copy.SetAttributeValue("width", corner[2]);
        copy.SetAttributeValue("height", corner[3]);
        copy.AddFirst(
            new XElement(s_svg + "style", ReportStyle.Css + "\nsvg { font: 12px system-ui, -apple-system, \"Segoe UI\", Roboto, \"DejaVu Sans\", sans-serif; }\n.page { fill: var(--background); }\n"),
            new XElement(s_svg + "rect", new XAttribute("width", "100%"), new XAttribute("height", "100%"), new XAttribute("class", "page")));
        return Markup.Text(copy) + "\n";
    }
}
