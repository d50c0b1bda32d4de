using System.Globalization;
using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>The figures that a reader wants first, as cards on top of the page.</summary>
internal static class HeadlineCards
{
    public static XElement Draw(RunReport report)
    {
        IEnumerable<XElement> cards = report.Epochs.Count > 0
            ? [.. Accuracies(report), .. Memorization(report), Speed(report)]
            : [];
        var further = report.FinalFigures.Select(f => Card(f.Name, f.Value, null));
        return Element("section", Class("cards"), new XAttribute("aria-label", "Headline figures"), cards, further);
    }

    private static IEnumerable<XElement> Accuracies(RunReport report)
    {
        var epochs = report.Epochs;
        var last = epochs[^1];
        yield return Card("Test accuracy", Percent(last.TestAccuracy), Best(epochs, e => e.TestAccuracy));
        double gap = last.TrainAccuracy - last.TestAccuracy;
        yield return Card("Training accuracy", Percent(last.TrainAccuracy), double.IsFinite(gap)
            ? $"{(gap * 100).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture)} points against test"
            : null);
        foreach (string attack in ReportFigures.Attacks(report))
        {
            yield return Card($"Test accuracy under {attack}", Percent(Robust(last, attack)),
                Best(epochs, e => Robust(e, attack) ?? double.NaN));
        }
    }

    private static IEnumerable<XElement> Memorization(RunReport report)
    {
        var last = report.Epochs[^1];
        if (last.HighConfidenceShare is { } share)
            yield return Card("High confidence", Percent(share), $"of training samples: loss below T = {Number(report.Threshold)}");
        if (last.WrongLabelAccuracy is { } wrong)
            yield return Card("Wrong labels learned", Percent(wrong), "of the wrongly labelled training samples");
        if (report.OverMemorizedCount is { } count)
        {
            yield return Card("Over-memorized", count.ToString("#,0", CultureInfo.InvariantCulture),
                report.OverMemorized.Count > 0 ? "training samples, some shown below" : "training samples");
        }
        if (report.DomMode != "off" && last.RemovedShare is { } removed)
        {
            yield return Card(report.DomMode == "augment" ? "Augmented by DOM" : "Removed by DOM", Percent(removed),
                "of training samples, last epoch" + (last.AcceptedShare is { } accepted ? $"; {Percent(accepted)} came above T" : ""));
        }
    }

    private static XElement Speed(RunReport report)
    {
        var speeds = report.Epochs.Select(e => e.ImagesPerSecond ?? double.NaN).Where(double.IsFinite).Order().ToArray();
        int epochs = report.Epochs.Count;
        return Card("Time", ReportPage.Duration(report.Finished - report.Started),
            (epochs == 1 ? "1 epoch" : $"{epochs} epochs") + (speeds.Length > 0
                ? $", {speeds[speeds.Length / 2].ToString("#,0", CultureInfo.InvariantCulture)} images/s"
                : ""));
    }

    private static double? Robust(EpochFigures epoch, string attack) =>
        epoch.Robust.FirstOrDefault(r => r.Attack == attack)?.Test;

    // The best epoch is worth a line only where it is not the last: the drop after it is the overfitting.
    private static string? Best(IReadOnlyList<EpochFigures> epochs, Func<EpochFigures, double> accuracy)
    {
        var measured = epochs.Where(e => double.IsFinite(accuracy(e))).ToArray();
        if (measured.Length == 0)
            return null;
        var best = measured.MaxBy(accuracy)!;
        return accuracy(best) > accuracy(measured[^1]) || measured[^1] != epochs[^1]
            ? $"best {Percent(accuracy(best))} in epoch {best.Epoch}"
            : epochs.Count > 1 ? "the best of all epochs" : null;
    }

    private static XElement Card(string name, string value, string? note) => Element("div", Class("card"),
        Element("div", Class("card-name"), name),
        Element("div", Class("card-value"), value),
        note is null ? null : Element("div", Class("card-note"), note));
}
