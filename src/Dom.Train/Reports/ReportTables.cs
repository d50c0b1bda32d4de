using System.Globalization;
using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>The figures of every epoch, and what is needed to repeat the run.</summary>
internal static class ReportTables
{
    private sealed record Column(string Name, Func<EpochFigures, double?> Value, Func<double?, string> Format);

    public static XElement Epochs(RunReport report)
    {
        // Epoch, rate, loss and accuracies always; the others where at least one epoch has them.
        Column[] always =
        [
            new("epoch", e => e.Epoch, Number), new("learning rate", e => e.LearningRate, Number),
            new("training loss", e => e.TrainLoss, Number), new("training accuracy", e => e.TrainAccuracy, Percent),
            new("test accuracy", e => e.TestAccuracy, Percent),
        ];
        var optional = new List<Column>();
        foreach (string attack in ReportFigures.Attacks(report))
        {
            optional.Add(new($"training, {attack}", e => Robust(e, attack)?.Train, Percent));
            optional.Add(new($"test, {attack}", e => Robust(e, attack)?.Test, Percent));
        }
        optional.Add(new("high confidence", e => e.HighConfidenceShare, Percent));
        optional.Add(new("by DOM", e => e.RemovedShare, Percent));
        optional.Add(new("above T after it", e => e.AcceptedShare, Percent));
        optional.Add(new("right labels", e => e.RightLabelAccuracy, Percent));
        optional.Add(new("wrong labels", e => e.WrongLabelAccuracy, Percent));
        optional.Add(new("images/s", e => e.ImagesPerSecond, v => v is { } speed && double.IsFinite(speed)
            ? speed.ToString("#,0", CultureInfo.InvariantCulture)
            : "–"));
        Column[] columns = [.. always, .. optional.Where(c => report.Epochs.Any(e => c.Value(e) is not null))];

        return Element("section", Element("h2", "Every epoch"), Element("details",
            Element("summary", report.Epochs.Count == 1 ? "Table of 1 epoch" : $"Table of {report.Epochs.Count} epochs"),
            Element("div", Class("scroll"), Element("table", Class("numbers"),
                Element("thead", Element("tr", columns.Select(c => Element("th", new XAttribute("scope", "col"), c.Name)))),
                Element("tbody", report.Epochs.Select(e =>
                    Element("tr", columns.Select(c => Element("td", c.Format(c.Value(e)))))))))));
    }

    public static XElement Reproduction(RunReport report) => Element("section",
        Element("h2", "To repeat this run"),
        Element("pre", report.CommandLine),
        Element("div", Class("columns"), Names("Options", report.Options), Names("Machine and versions", report.Environment)));

    private static XElement? Names(string heading, IReadOnlyList<NamedText> texts) => texts.Count == 0 ? null : Element("div",
        Element("h3", heading),
        Element("table", Class("names"), Element("tbody", texts.Select(t => Element("tr",
            Element("th", new XAttribute("scope", "row"), t.Name), Element("td", t.Value))))));

    private static RobustAccuracy? Robust(EpochFigures epoch, string attack) => epoch.Robust.FirstOrDefault(r => r.Attack == attack);
}
