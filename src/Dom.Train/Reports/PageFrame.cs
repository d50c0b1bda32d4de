using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>What every page has: a head with its style, and a rule that nothing is run or loaded.</summary>
internal static class PageFrame
{
    // A second lock behind the escaping: a browser runs and loads nothing from this page whatever text got into it.
    private const string ContentPolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

    /// <summary>Writes the page; the writer's encoding must be UTF-8.</summary>
    public static void Write(TextWriter writer, string title, IEnumerable<XElement> sections)
    {
        writer.Write("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
        writer.Write("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
        writer.Write("<meta name=\"color-scheme\" content=\"light dark\"/>\n");
        WriteLine(writer, Element("meta", new XAttribute("http-equiv", "Content-Security-Policy"),
            Attribute("content", ContentPolicy)));
        WriteLine(writer, Element("title", title));
        // Not through Element: the text of a style is not unescaped by browsers, and it is ours.
        writer.Write("<style>\n" + ReportStyle.Css + "\n</style>\n</head>\n<body>\n<main>\n");
        foreach (var section in sections)
            WriteLine(writer, section);
        writer.Write("</main>\n</body>\n</html>\n");
    }

    private static void WriteLine(TextWriter writer, XElement element)
    {
        Markup.Write(writer, element);
        writer.Write('\n');
    }
}
