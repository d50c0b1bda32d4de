using System.Globalization;
using System.Xml.Linq;
using Dom.Train.Reports;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Analysis;

/// <summary>What the page of an analysis says of its run besides the figures.</summary>
/// <param name="Title">The heading, such as "PreActResNet-18 on cifar10".</param>
/// <param name="Lead">A sentence under it; null for none.</param>
/// <param name="Note">A sentence shown on top, such as that the run goes on; null for none.</param>
public sealed record AnalysisHeading(string Title, string? Lead = null, string? Note = null);

/// <summary>One page of HTML with every figure of an analysis. It holds its pictures and its style, has no script and loads nothing.</summary>
/// <remarks>The same analysis gives the same bytes. The page is also well-formed XML.</remarks>
public static class AnalysisPage
{
    /// <summary>The page as text.</summary>
    /// <param name="analysis">The analysis.</param>
    /// <param name="heading">What the page says of the run.</param>
    /// <param name="compared">Runs to be compared, this one among them; may be empty.</param>
    public static string Render(RunAnalysis analysis, AnalysisHeading heading, params IReadOnlyList<ComparedRun> compared)
    {
        ArgumentNullException.ThrowIfNull(compared);
        ArgumentNullException.ThrowIfNull(analysis);
        ArgumentNullException.ThrowIfNull(heading);
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        PageFrame.Write(writer, $"Analysis: {heading.Title}", Sections(analysis, heading, compared));
        return writer.ToString();
    }

    private static IEnumerable<XElement> Sections(RunAnalysis analysis, AnalysisHeading heading, IReadOnlyList<ComparedRun> compared)
    {
        yield return Element("header",
            Element("h1", $"Over-memorization: {heading.Title}"),
            heading.Lead is { } lead ? Element("p", Class("lead"), lead) : null,
            Element("p", Class("muted"), string.Create(CultureInfo.InvariantCulture,
                $"{analysis.Samples:N0} training samples, {analysis.Epochs.Count} {(analysis.Epochs.Count == 1 ? "epoch" : "epochs")}; T = {Number(Math.Round(analysis.Settings.Threshold, 6))} nats, K = {analysis.Settings.Warmup}. Epochs count from 1.")),
            heading.Note is { } note ? Element("p", Class("note"), note) : null,
            analysis.NotANumber > 0
                ? Element("p", Class("note"), $"{analysis.NotANumber:N0} natural losses are not a number; they are in no mean and in no range.")
                : null);
        yield return Names("Main figures", AnalysisSentences.Of(analysis).Select(s => (s.Name, s.Value)));
        foreach (var figure in AnalysisFigures.Of(analysis, compared))
            yield return ReportFigures.Figure(figure.Heading, [.. figure.Charts.Select(c => c.Chart)], [.. figure.Explanation]);
        if (analysis.Missing.Count > 0)
            yield return Names("Not shown", analysis.Missing.Select(m => (m.Figure, m.Reason)));
        yield return Names("Files beside this page", AnalysisTables.Of(analysis, compared).Select(t => (t.File, string.Join(", ", t.Header))));
    }

    private static XElement Names(string heading, IEnumerable<(string Name, string Text)> rows) => Element("section",
        Element("h2", heading),
        Element("table", Class("names"), Element("tbody", rows.Select(row => Element("tr",
            Element("th", new XAttribute("scope", "row"), row.Name), Element("td", row.Text))))));
}
