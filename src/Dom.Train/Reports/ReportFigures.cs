using System.Xml.Linq;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Reports;

/// <summary>The curves of the page, each beside a short text that says what one sees and where it is defined.</summary>
internal static class ReportFigures
{
    // The paragraph that names the source of a figure begins so and stands back.
    private const string Source = "Defined in: ";

    // Where the largest value is this many times the smallest, a linear axis would hide the small ones.
    private const double RatioForLogarithm = 30;

    /// <summary>Names of the attacks, in the order of their first appearance.</summary>
    public static IReadOnlyList<string> Attacks(RunReport report) =>
        [.. report.Epochs.SelectMany(e => e.Robust).Select(r => r.Attack).Distinct()];

    public static XElement Accuracy(RunReport report)
    {
        var series = new List<ChartSeries>
        {
            new("test", Values(report, e => e.TestAccuracy)) { Color = 0 },
            new("training", Values(report, e => e.TrainAccuracy)) { Color = 0 },
        };
        foreach (var (attack, i) in Attacks(report).Select((a, i) => (a, i)))
        {
            Add("test, ", r => r.Test);
            Add("training, ", r => r.Train);

            void Add(string prefix, Func<RobustAccuracy, double?> value)
            {
                var values = Values(report,
                    e => e.Robust.FirstOrDefault(r => r.Attack == attack) is { } measured ? value(measured) : null);
                if (values.Any(double.IsFinite))
                    series.Add(new(prefix + attack, values) { Color = i + 1 });
            }
        }
        var chart = Chart(report, "Accuracy per epoch", "accuracy", series) with { Format = AxisFormat.Percent };
        return Figure("Accuracy", [chart.ToElement()],
            "Training accuracy counts the labels that were given, wrong ones included. Overfitting shows as a gap between "
            + "training and test that opens, or as a test curve that falls after its best epoch.",
            report.Epochs.Any(e => e.Robust.Count > 0)
                ? "Under attack, images are changed within the allowed distance so as to be misjudged. A slow fall of that "
                    + "test accuracy is robust overfitting; a fall to nearly nothing within an epoch or two is catastrophic "
                    + "overfitting."
                : null,
            Source + "Distraction Over-Memorization (DOM, ICLR 2024), section 3, figure 1 left"
            + (report.Epochs.Any(e => e.Robust.Count > 0) ? " and figure 3." : "."));
    }

    public static XElement Loss(RunReport report)
    {
        var losses = Values(report, e => e.TrainLoss);
        var rates = Values(report, e => e.LearningRate);
        var loss = Chart(report, "Training loss per epoch", "", [new("training loss (nats)", losses)]) with
        {
            IsLogarithmic = SpansDecades(losses),
            PlotHeight = 170,
        };
        var rate = Chart(report, "Learning rate per epoch", "", [new("learning rate", rates) { Color = 2 }]) with
        {
            IsLogarithmic = SpansDecades(rates),
            PlotHeight = 90,
        };
        return Figure("Loss and learning rate", [loss.ToElement(), rate.ToElement()],
            "The mean cross-entropy of the training samples. Guessing among c classes costs ln c: 2.303 for ten."
            + (loss.IsLogarithmic ? " The axis of the loss is logarithmic." : "")
            + (rate.IsLogarithmic ? " The axis of the learning rate is logarithmic." : ""),
            report.Epochs.Count > 1
                ? "Watch the loss where the learning rate drops: there memorization tends to set in suddenly."
                : null);
    }

    public static XElement Shares(RunReport report, LossRangeShares shares, bool isAdversarial)
    {
        string kind = isAdversarial ? "adversarial" : "natural";
        var chart = new ShareChart
        {
            Title = $"Share of training samples per range of the {kind} loss, per epoch",
            X = Positions(report),
            Names = RangeNames(shares.Edges),
            Shares = shares.Shares,
            Markers = Markers(report),
        };
        string heading = isAdversarial ? "Samples per range of the adversarial loss" : "Samples per range of the loss";
        return Figure(heading, [chart.ToElement()],
            $"Every bar is the whole training set in one epoch, sorted by {kind} loss, the smallest at the bottom. "
            + (isAdversarial
                ? "The loss is that of the attacked image. DOM's threshold looks at the natural loss even so."
                : report.Threshold > 0
                    ? $"Loss below T = {Number(report.Threshold)} is high confidence: the probability of the label is above "
                        + $"{Percent(Math.Exp(-report.Threshold))}."
                    : ""),
            "A lowest range that jumps within a few epochs, while test accuracy does not follow, is the sign of over-memorization.",
            isAdversarial
                ? Source + "DOM, section 3, figure 3."
                : Source + "DOM, section 3, figure 1 middle.");
    }

    /// <summary>Accuracy on rightly and on wrongly labelled samples; null where no labels were made wrong.</summary>
    public static XElement? Labels(RunReport report)
    {
        var wrong = Values(report, e => e.WrongLabelAccuracy);
        if (!wrong.Any(double.IsFinite))
            return null;
        var chart = Chart(report, "Training accuracy on right and on wrong labels, per epoch", "learned",
            [new("right labels", Values(report, e => e.RightLabelAccuracy)), new("wrong labels", wrong)]) with
        {
            Format = AxisFormat.Percent,
        };
        return Figure("Right and wrong labels", [chart.ToElement()],
            "Some training labels were made wrong on purpose. No pattern leads to them: a network can only learn them one by "
            + "one, by heart.",
            report.Epochs.Count > 1
                ? "Patterns come first, so the curve of the right labels rises early; where the curve of the wrong labels "
                    + "rises, memorization happens, and test accuracy tends to fall with it."
                : "One epoch shows no development; a longer run shows the right labels learned first and the wrong ones late.",
            Source + "Arpit et al., A Closer Look at Memorization in Deep Networks (ICML 2017), section 4, figures 7 and 8.");
    }

    /// <summary>What DOM removed; null where it is off or nothing was recorded.</summary>
    public static XElement? Removed(RunReport report)
    {
        var removed = Values(report, e => e.RemovedShare);
        if (report.DomMode == "off" || !removed.Any(double.IsFinite))
            return null;
        string verb = report.DomMode == "augment" ? "augmented" : "removed";
        var highConfidence = Values(report, e => e.HighConfidenceShare);
        var series = new List<ChartSeries> { new($"{verb} by DOM", removed) { Color = 1 } };
        if (highConfidence.Any(double.IsFinite))
            series.Add(new("high confidence", highConfidence) { Color = 0 });
        var accepted = Values(report, e => e.AcceptedShare);
        if (accepted.Any(double.IsFinite))
            series.Add(new("above T after it", accepted) { Color = 2 });
        string threshold = report.AdaptiveThreshold ?? $"T = {Number(report.Threshold)}";
        var chart = Chart(report, $"Share of training samples {verb} by DOM, per epoch", "share", series) with
        {
            Format = AxisFormat.Percent,
            PlotHeight = 150,
        };
        return Figure($"Samples {verb} by DOM", [chart.ToElement()],
            $"From epoch {report.Warmup + 1} on, DOM looks at the natural loss of every sample of a batch and "
            + (report.DomMode == "augment" ? "augments" : "leaves out of the loss")
            + $" those below {threshold}. The decision is new in every step: a sample whose loss rises "
            + "again comes back.",
            Source + "DOM, section 4, algorithm 1.");
    }

    private static LineChart Chart(RunReport report, string title, string yLabel, IReadOnlyList<ChartSeries> series) => new()
    {
        Title = title,
        X = Positions(report),
        YLabel = yLabel,
        Series = series,
        Markers = Markers(report),
    };

    /// <summary>Charts below each other with their explanation beside them.</summary>
    public static XElement Figure(string heading, XElement[] charts, params string?[] explanation) => Element("section",
        Element("h2", heading),
        Element("figure", Element("div", Class("charts"), charts.Cast<object>().ToArray()),
            Element("figcaption", explanation.OfType<string>().Select(t =>
                Element("p", t.StartsWith(Source, StringComparison.Ordinal) ? Class("source") : null, t)))));

    private static double[] Positions(RunReport report) => [.. report.Epochs.Select(e => (double)e.Epoch)];

    private static double[] Values(RunReport report, Func<EpochFigures, double?> value) =>
        [.. report.Epochs.Select(e => value(e) ?? double.NaN)];

    // K lies between the last epoch of the warm-up and the first one after it.
    private static ChartMarker[] Markers(RunReport report)
    {
        bool isWithin = report.Warmup >= report.Epochs[0].Epoch && report.Warmup < report.Epochs[^1].Epoch;
        return isWithin
            ? [new(report.Warmup + 0.5, report.DomMode == "off" ? $"K = {report.Warmup}" : $"DOM starts (epoch {report.Warmup + 1})")]
            : [];
    }

    private static bool SpansDecades(double[] values)
    {
        var finite = values.Where(double.IsFinite).ToArray();
        return finite.Length > 0 && finite.Min() > 0 && finite.Max() >= RatioForLogarithm * finite.Min();
    }

    /// <summary>What the ranges between edges are called, from the lowest up.</summary>
    public static string[] RangeNames(IReadOnlyList<double> edges)
    {
        var names = new List<string>();
        for (int i = 0; i < edges.Count; i++)
            names.Add(i == 0 ? $"below {Number(edges[0])}" : $"{Number(edges[i - 1])} – {Number(edges[i])}");
        names.Add(edges.Count > 0 ? $"{Number(edges[^1])} and more" : "all");
        return [.. names];
    }
}
