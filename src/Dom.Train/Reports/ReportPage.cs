using System.Globalization;
using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>One page of HTML about a training run. It holds its pictures and its style, has no script and loads nothing.</summary>
/// <remarks>The same report gives the same bytes. The page is also well-formed XML.</remarks>
public static class ReportPage
{
    /// <summary>The page as text.</summary>
    /// <exception cref="ArgumentException">Lists of the report do not fit together; the message says which.</exception>
    public static string Render(RunReport report)
    {
        using var writer = new StringWriter(CultureInfo.InvariantCulture);
        Write(writer, report);
        return writer.ToString();
    }

    /// <summary>Writes the page; the writer's encoding must be UTF-8.</summary>
    /// <exception cref="ArgumentException">
    /// Lists of the report do not fit together; the message says which. Nothing was written.
    /// </exception>
    public static void Write(TextWriter writer, RunReport report)
    {
        Check(report);
        PageFrame.Write(writer, report.Title, Sections(report));
    }

    private static IEnumerable<XElement> Sections(RunReport report)
    {
        yield return Header(report);
        yield return HeadlineCards.Draw(report);
        if (report.Epochs.Count > 0)
        {
            yield return ReportFigures.Accuracy(report);
            yield return ReportFigures.Loss(report);
            if (report.NaturalLosses is { } natural)
                yield return ReportFigures.Shares(report, natural, isAdversarial: false);
            if (report.AdversarialLosses is { } adversarial)
                yield return ReportFigures.Shares(report, adversarial, isAdversarial: true);
            if (ReportFigures.Labels(report) is { } labels)
                yield return labels;
            if (ReportFigures.Removed(report) is { } removed)
                yield return removed;
            yield return SampleGallery.Draw(report);
            yield return ReportTables.Epochs(report);
        }
        yield return ReportTables.Reproduction(report);
    }

    private static XElement Header(RunReport report) => Element("header",
        Element("h1", report.Title),
        Element("p", Class("lead"), report.DataDescription),
        Element("p", Class("muted"),
            $"{Time(report.Started)} to {Time(report.Finished)}, {Duration(report.Finished - report.Started)}. ",
            report.DomMode == "off"
                ? "DOM was off."
                : $"DOM: {report.DomMode}, threshold {report.AdaptiveThreshold ?? $"T = {Number(report.Threshold)}"}, after K = {report.Warmup} epochs."),
        report.Note is { } note ? Element("p", Class("note"), note) : null,
        report.Epochs.Count == 0
            ? Element("p", Class("note"), "No epoch was finished, so there are no curves and no samples to show.")
            : null);

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    /// <summary>A duration as people say it: "1 h 12 min", "3 min 5 s", "41 s".</summary>
    internal static string Duration(TimeSpan duration) => duration switch
    {
        { TotalHours: >= 1 } => $"{(int)duration.TotalHours} h {duration.Minutes} min",
        { TotalMinutes: >= 1 } => $"{duration.Minutes} min {duration.Seconds} s",
        _ => $"{Math.Max(0, Math.Round(duration.TotalSeconds))} s",
    };

    private static void Check(RunReport report)
    {
        int epochs = report.Epochs.Count;
        foreach (var shares in new[] { report.NaturalLosses, report.AdversarialLosses })
        {
            if (shares is null)
                continue;
            if (shares.Shares.Count != epochs)
            {
                throw new ArgumentException(
                    $"report: loss shares of {shares.Shares.Count} epochs for {epochs} epochs; one list each is needed.");
            }
            int ranges = shares.Edges.Count + 1;
            if (shares.Shares.FirstOrDefault(s => s.Count != ranges) is { } odd)
            {
                throw new ArgumentException(
                    $"report: {ranges - 1} edges make {ranges} loss ranges, but an epoch has {odd.Count} shares.");
            }
        }
        foreach (var card in report.OverMemorized)
        {
            if (card.Losses.Count != epochs)
            {
                throw new ArgumentException(
                    $"report: sample {card.Id} has {card.Losses.Count} losses for {epochs} epochs; one each is needed.");
            }
            if (card.Channels is not (1 or 3))
                throw new ArgumentException($"report: sample {card.Id} has {card.Channels} channels; 1 or 3 can be shown.");
            int bytes = card.Height * card.Width * card.Channels;
            if (card.Pixels.Length != bytes || bytes == 0)
            {
                throw new ArgumentException(
                    $"report: sample {card.Id} has {card.Pixels.Length} bytes, a picture "
                    + $"[{card.Height}, {card.Width}, {card.Channels}] has {bytes}; at least one pixel is needed.");
            }
        }
    }
}
