using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Dom.Train.Reports;

/// <summary>Elements of HTML and SVG whose text is escaped by construction, and numbers as text in the invariant culture.</summary>
internal static class Markup
{
    private static readonly CultureInfo s_invariant = CultureInfo.InvariantCulture;

    private static readonly string[] s_closeThemselves = ["meta", "img", "line", "rect", "path", "circle"];

    private static readonly XmlWriterSettings s_settings = new()
    {
        OmitXmlDeclaration = true,
        ConformanceLevel = ConformanceLevel.Fragment,
        NewLineChars = "\n", // the same bytes on every system
        CloseOutput = false,
    };

    /// <summary>An element; strings among the content become text, attributes become attributes, null is left out.</summary>
    public static XElement Element(string name, params object?[] content)
    {
        var element = new XElement(name);
        foreach (object? part in content)
            element.Add(part is string text ? Clean(text) : part);
        // A browser reads <div/> as a <div> that stays open.
        if (element.IsEmpty && Array.IndexOf(s_closeThemselves, name) < 0)
            element.Value = "";
        return element;
    }

    public static XAttribute Attribute(string name, string value) => new(name, Clean(value));

    public static XAttribute Attribute(string name, double value) => new(name, Coordinate(value));

    public static XAttribute Class(string name) => new("class", name);

    /// <summary>A position in a drawing, to a hundredth of a unit.</summary>
    public static string Coordinate(double value) =>
        (Math.Round(value, 2) + 0.0).ToString("0.##", s_invariant); // + 0.0 turns a negative zero into zero

    /// <summary>A figure to four significant digits; a dash where there is none.</summary>
    public static string Number(double? value) => Number(value, 4);

    /// <summary>A figure to <paramref name="digits"/> significant digits; a dash where there is none.</summary>
    public static string Number(double? value, int digits)
    {
        if (value is not { } number || double.IsNaN(number))
            return "–";
        if (double.IsInfinity(number))
            return number > 0 ? "∞" : "−∞";
        double magnitude = Math.Abs(number);
        if (magnitude == 0)
            return "0";
        if (magnitude is < 1e-4 or >= 1e7)
            return number.ToString("0.##e0", s_invariant);
        int decimals = Math.Clamp(digits - 1 - (int)Math.Floor(Math.Log10(magnitude)), 0, 8);
        return Math.Round(number, decimals).ToString("0.########", s_invariant);
    }

    /// <summary>A fraction as percent with one decimal, such as "81.3 %"; a dash where there is none.</summary>
    public static string Percent(double? fraction) => fraction is { } value && double.IsFinite(value)
        ? (value * 100).ToString("0.0", s_invariant) + "\u00a0%" : "–";

    /// <summary>Writes an element without indentation: white space inside it is the reader's.</summary>
    public static void Write(TextWriter writer, XElement element)
    {
        using var xml = XmlWriter.Create(writer, s_settings);
        element.WriteTo(xml);
    }

    public static string Text(XElement element)
    {
        using var writer = new StringWriter(s_invariant);
        Write(writer, element);
        return writer.ToString();
    }

    // Control characters and halves of surrogate pairs cannot be written in XML, however escaped.
    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            clean.Append(rune.IsBmp && !XmlConvert.IsXmlChar((char)rune.Value) ? "\ufffd" : rune.ToString());
        return clean.ToString();
    }
}
