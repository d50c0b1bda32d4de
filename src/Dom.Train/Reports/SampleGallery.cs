using System.Globalization;
using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>The over-memorized samples as pictures with their labels and the course of their loss.</summary>
internal static class SampleGallery
{
    // Pictures are shown about this wide: smaller ones are enlarged in whole blocks, larger ones smoothly reduced.
    private const int ShownWidth = 120;

    public static XElement Draw(RunReport report)
    {
        var section = Element("section", Element("h2", "Over-memorized samples"));
        if (report.OverMemorized.Count == 0)
        {
            section.Add(Element("p", Absence(report)));
            return section;
        }
        string shown = report.OverMemorizedCount is { } count && count > report.OverMemorized.Count
            ? $"{report.OverMemorized.Count} of {count.ToString("#,0", CultureInfo.InvariantCulture)} samples. "
            : "";
        section.Add(Element("p", shown
            + $"A sample is over-memorized if its loss was T = {Number(report.Threshold)} or more after K = {report.Warmup} "
            + "epochs and fell below T later: the network turned confident late. The line is the sample's loss, equally "
            + "scaled for all; the dotted one is T, the dot the first epoch below it. Defined in: DOM, section 3."));
        double maximum = report.OverMemorized.SelectMany(s => s.Losses).Where(double.IsFinite).DefaultIfEmpty(1).Max();
        section.Add(Element("div", Class("gallery"),
            report.OverMemorized.Select(s => Card(report, s, Math.Max(maximum, report.Threshold * 1.5)))));
        return section;
    }

    private static string Absence(RunReport report)
    {
        if (report.OverMemorizedCount is not { } count)
        {
            return report.Warmup == 0
                ? "Not counted: with a warm-up of K = 0 epochs there is no loss before it to compare with."
                : $"Not counted: that needs at least one epoch after the warm-up of K = {report.Warmup} epochs.";
        }
        if (count > 0)
            return $"{count} training samples were over-memorized; no pictures were kept.";
        return "No training sample was over-memorized" + (report.Warmup > 0
            ? $": none whose loss was T = {Number(report.Threshold)} or more after K = {report.Warmup} epochs is below it in the end."
            : ".");
    }

    private static XElement Card(RunReport report, SampleCard sample, double maximum)
    {
        string picture = "data:image/png;base64,"
            + Convert.ToBase64String(PngEncoder.Encode(sample.Pixels, sample.Width, sample.Height, sample.Channels));
        bool isWrong = sample.TrueLabel is not null && sample.TrueLabel != sample.Label;
        int memorized = report.Epochs.Select(e => e.Epoch).ToList().IndexOf(sample.MemorizedAtEpoch);
        var finite = sample.Losses.Where(double.IsFinite).ToArray();
        string course = finite.Length > 0 ? $"loss {Number(finite[0], 3)} → {Number(finite[^1], 2)}" : "loss not recorded";
        return Element("article", Class(isWrong ? "sample wrong" : "sample"),
            Element("img", Class(sample.Width < ShownWidth ? "pixels" : "picture"), Attribute("src", picture),
                Attribute("alt", $"sample {sample.Id}, labelled {sample.Label}"),
                Attribute("width", sample.Width), Attribute("height", sample.Height)),
            Element("div", Class("sample-text"),
                Element("div", Class("sample-label"), Element("strong", sample.Label),
                    isWrong ? Element("span", Class("badge"), "wrong label") : null),
                isWrong ? Element("div", "truly ", Element("strong", sample.TrueLabel!)) : null,
                Element("div", Class("muted"), "predicted ", sample.Predicted),
                Element("div", Class("muted"), $"sample {sample.Id}"),
                Sparkline.Draw($"sample {sample.Id}: {course}", sample.Losses, maximum, report.Threshold, memorized),
                Element("div", Class("muted"), $"{course}, below T in epoch {sample.MemorizedAtEpoch}")));
    }
}
