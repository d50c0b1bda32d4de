using System.Xml.Linq;
using Dom.Train.Memorization;
using Dom.Train.Reports;
using static Dom.Train.Reports.Markup;

namespace Dom.Train.Analysis;

/// <summary>The figures of DOM (ICLR 2024), section 3, drawn from an analysis; those that have no data are left out.</summary>
internal static class AnalysisFigures
{
    public static IReadOnlyList<AnalysisFigure> Of(RunAnalysis analysis, IReadOnlyList<ComparedRun> compared)
    {
        AnalysisFigure?[] figures =
        [
            Accuracy(analysis), Ranges(analysis, adversarial: false), Ranges(analysis, adversarial: true), Confidence(analysis), Groups(analysis),
            Persistence(analysis), Overlap(analysis), ByConfidence(analysis), Labels(analysis), Comparison(analysis, compared),
        ];
        return [.. figures.OfType<AnalysisFigure>()];
    }

    private static AnalysisFigure Accuracy(RunAnalysis a)
    {
        var series = new List<ChartSeries>();
        Add("test", p => p.Test, 0, 0);
        Add("training", p => p.Train, 0, 1);
        Add("test, attacked", p => p.TestAttacked, 1, 2);
        Add("training, attacked", p => p.TrainAttacked, 1, 3);
        void Add(string name, Func<AccuracyPoint, double?> value, int color, int dash)
        {
            double[] values = [.. a.Accuracies.Select(p => value(p) ?? double.NaN)];
            if (values.Any(double.IsFinite))
                series.Add(new(name, values) { Color = color, Dash = dash });
        }
        var markers = new List<ChartMarker>(Warmup(a, a.Accuracies.Count));
        if (a.Onsets.Natural is { } natural)
            markers.Add(new(natural.Epoch, $"natural overfitting (epoch {natural.Epoch})"));
        if (a.Onsets.Robust is { } robust)
            markers.Add(new(robust.Epoch, $"robust overfitting (epoch {robust.Epoch})"));
        if (a.Onsets.Catastrophic is { } collapse)
            markers.Add(new(collapse.Epoch, $"collapse (epoch {collapse.Epoch})"));
        var chart = new LineChart
        {
            Title = "Accuracy per epoch", X = [.. a.Accuracies.Select(p => (double)p.Epoch)], YLabel = "accuracy", Series = series, Markers = markers,
            Format = AxisFormat.Percent,
        };
        return new("Accuracy and the onsets of overfitting", [("accuracy", chart.ToElement())],
        [
            "Training accuracy counts the labels that were given, on the images as they were visited; test accuracy is measured after the epoch.",
            "Natural overfitting begins with the epoch from which on training accuracy stays 5 points or more above test accuracy. Robust overfitting begins "
            + "with the epoch from which on accuracy under attack on test images stays 2 points or more below its best while training accuracy under attack does not "
            + "fall. Catastrophic overfitting is a fall of accuracy under attack on test images by more than 20 points from one epoch to the next.",
            "Defined in: DOM, section 3, figure 1 left and figure 3, first panels; the rule of the collapse is that of fast_adversarial, the rules of the two others are this program's.",
        ]);
    }

    private static AnalysisFigure? Ranges(RunAnalysis a, bool adversarial)
    {
        var shares = a.Epochs.Select(e => adversarial ? e.Adversarial : e.Natural).ToArray();
        if (shares.Contains(null))
            return null;
        string kind = adversarial ? "adversarial" : "natural";
        bool hasNaN = shares.Any(s => s!.NotANumber > 0);
        var ranges = a.Settings.Ranges;
        var chart = new ShareChart
        {
            Title = $"Share of training samples per range of the {kind} loss, per epoch",
            X = Epochs(a.Epochs),
            Names =
            [
                .. ReportFigures.RangeNames([.. ranges.Edges.Select(edge => Math.Round(edge, 6))]),
                .. hasNaN ? ["not a number"] : Array.Empty<string>(),
            ],
            Shares = [.. shares.Select(s => (double[])[.. s!.Shares, .. hasNaN ? [s.NotANumber] : Array.Empty<double>()])],
            Markers = Warmup(a, a.Epochs.Count),
        };
        return new($"Samples by range of the {kind} loss", [($"{kind}-ranges", chart.ToElement())],
        [
            $"Every bar is the whole training set in one epoch, the smallest {kind} losses (in nats) at the bottom.",
            adversarial
                ? "Where training overfits, the lowest range grows suddenly: the network has become sure of the images that it attacks itself."
                : a.AdversarialColumn is null
                    ? "Over-memorization shows as a lowest range that jumps within a few epochs while test accuracy does not follow."
                    : "Plain adversarial training never sees these natural images. Yet where it overfits, their lowest range grows together with that of the adversarial loss: so says the paper.",
            adversarial ? "Defined in: DOM, section 3, figure 3, second panels."
                : a.AdversarialColumn is null ? "Defined in: DOM, section 3, figure 1 middle; the paper names the lowest range only." : "Defined in: DOM, section 3, figure 3, third panels.",
        ]);
    }

    private static AnalysisFigure Confidence(RunAnalysis a)
    {
        double samples = a.Samples;
        var series = new List<ChartSeries> { new("below T", [.. a.Epochs.Select(e => e.HighConfidence)]) };
        if (a.Epochs.Any(e => e.Kinds is not null))
        {
            series.Add(new("original", [.. a.Epochs.Select(e => e.Kinds?.Original / samples ?? double.NaN)]));
            series.Add(new("transformed", [.. a.Epochs.Select(e => e.Kinds?.Transformed / samples ?? double.NaN)]));
        }
        var chart = Lines(a, "Share of training samples of high confidence, per epoch", "share", a.Epochs, series) with { Format = AxisFormat.Percent };
        var text = new List<string>
        {
            $"High confidence is a natural loss below T = {Value(a.Settings.Threshold)}: the label's probability is above {Percent(Math.Exp(-a.Settings.Threshold))}.",
        };
        if (series.Count > 1)
        {
            text.Add($"Original samples were confident in epoch K = {a.Settings.Warmup} already, transformed ones became so later: those are the over-memorized ones.");
            text.Add(a.IsOfEvaluationPass
                ? "The losses of epoch K are those of the network at its end, which the paper calls the auxiliary model."
                : "The losses of epoch K stand for the paper's auxiliary model, the network frozen at the end of that epoch; they were recorded in the course of it.");
        }
        if (a.Jump is { } jump)
        {
            text.Add($"Around K the mean share goes from {Percent(jump.Before)} to {Percent(jump.After)} ({jump.Windows(a.Settings.Warmup)}).");
        }
        text.Add("Defined in: DOM, section 3.1.");
        return new("High confidence, original and transformed", [("confidence", chart.ToElement())], text);
    }

    private static AnalysisFigure? Groups(RunAnalysis a)
    {
        var epochs = a.Epochs.Where(e => e.Groups is not null).ToArray();
        if (epochs.Length == 0 || epochs[0].Groups is { FixedOriginal.Samples: 0, FixedTransformed.Samples: 0 })
            return null;
        var course = Lines(a, "Mean loss of the samples that were original and transformed right after K, per epoch", "mean loss (nats)", epochs,
        [
            new($"original, epoch {a.Settings.Warmup + 1}", [.. epochs.Select(e => e.Groups!.FixedOriginal.MeanLoss)]) { Color = 1, Dash = 1 },
            new($"transformed, epoch {a.Settings.Warmup + 1}", [.. epochs.Select(e => e.Groups!.FixedTransformed.MeanLoss)]) { Color = 2, Dash = 2 },
        ]) with
        { Markers = [] };
        var behind = epochs.Where(e => e.Groups!.CurrentOriginal is not null).ToArray();
        var current = Lines(a, "Mean loss of the samples that are original and transformed in each epoch", "mean loss (nats)", behind,
        [
            new("original now", [.. behind.Select(e => e.Groups!.CurrentOriginal!.Value.MeanLoss)]) { Color = 1, Dash = 1 },
            new("transformed now", [.. behind.Select(e => e.Groups!.CurrentTransformed!.Value.MeanLoss)]) { Color = 2, Dash = 2 },
        ]) with
        { PlotHeight = 130, Markers = [] };
        return new("Mean loss of original and transformed samples", [("groups-fixed", course.ToElement()), ("groups-current", current.ToElement())],
        [
            $"Above, two groups that stay as they were in epoch {a.Settings.Warmup + 1}, from epoch K = {a.Settings.Warmup} on: {epochs[0].Groups!.FixedOriginal.Samples:N0} original and "
            + $"{epochs[0].Groups!.FixedTransformed.Samples:N0} transformed samples. Below, the samples that are so in each epoch; their losses are below T by definition.",
            "Where confident samples are removed from training, the transformed ones hardly lose what was memorized, and the original ones lose more: so says the paper.",
            "Defined in: DOM, section 3.1, figure 2. That the groups are fixed in the epoch after K is this program's reading.",
        ]);
    }

    private static AnalysisFigure? Persistence(RunAnalysis a)
    {
        var epochs = a.Epochs.Where(e => e.Persistence is not null).ToArray();
        if (epochs.Length < 2 || epochs[0].Persistence!.All.Samples == 0)
            return null;
        var change = Lines(a, "Change of the mean loss of the samples that were confident right after K, per epoch", "change (nats)", epochs,
        [
            new("all", [.. epochs.Select(e => e.Persistence!.All.MeanChange)]),
            new("original", [.. epochs.Select(e => e.Persistence!.Original.MeanChange)]),
            new("transformed", [.. epochs.Select(e => e.Persistence!.Transformed.MeanChange)]),
        ]) with
        { Markers = [] };
        var kept = Lines(a, "Share of the samples confident right after K that are still so, per epoch", "still below T", epochs,
        [
            new("all", [.. epochs.Select(e => e.Persistence!.All.StillConfident)]),
            new("original", [.. epochs.Select(e => e.Persistence!.Original.StillConfident)]),
            new("transformed", [.. epochs.Select(e => e.Persistence!.Transformed.StillConfident)]),
        ]) with
        { PlotHeight = 130, Markers = [], Format = AxisFormat.Percent };
        return new("Persistence", [("persistence", change.ToElement()), ("persistence-share", kept.ToElement())],
        [
            $"What becomes of the samples that were confident in epoch {a.Settings.Warmup + 1}: mean of the loss now minus the loss then, and the share that is still below T.",
            "In a run that removes such samples (--dom remove), a change near zero means that what was memorized stays, though it is no longer trained. A sample that rises above T "
            + "is trained again. In a run that removes nothing, the curves show what training does.",
            "The samples were chosen because their loss was small, so a part of any rise is chance.",
            "Defined in: DOM, section 3.1; the index is this program's.",
        ]);
    }

    private static AnalysisFigure? Overlap(RunAnalysis a)
    {
        var epochs = a.Epochs.Where(e => e.Overlap is not null).ToArray();
        if (epochs.Length == 0)
            return null;
        int groups = a.Settings.Groups;
        // Ten lines of ten colors cannot be told apart: the two ends stand out, the groups between are gray.
        var course = Lines(a, "Overlap of natural and adversarial rank by group, per epoch", "overlap", epochs,
            [.. Enumerable.Range(0, groups).Select(g => new ChartSeries($"{g + 1}", [.. epochs.Select(e => e.Overlap![g])])
            {
                Color = g == 0 ? 0 : g == groups - 1 ? 1 : 5, Dash = g == 0 ? 0 : g == groups - 1 ? 1 : 2,
            })]) with
        { Format = AxisFormat.Percent };
        var chosen = new[] { 1, a.Settings.Warmup, epochs[^1].Epoch }.Distinct().Order()
            .Select(epoch => epochs.FirstOrDefault(e => e.Epoch == epoch)).OfType<EpochAnalysis>().ToArray();
        var profile = new LineChart
        {
            Title = "Overlap of natural and adversarial rank by group, in chosen epochs", XLabel = "group", YLabel = "overlap", Format = AxisFormat.Percent,
            X = [.. Enumerable.Range(1, groups).Select(g => (double)g)], PlotHeight = 150,
            Series = [.. chosen.Select(e => new ChartSeries($"epoch {e.Epoch}", e.Overlap!))],
        };
        return new("Natural and adversarial rank", [("overlap", course.ToElement()), ("overlap-profile", profile.ToElement())],
        [
            $"All samples in the order of their natural loss, cut into {groups} equal groups, and the same by adversarial loss: the share of a group that is in it by both. "
            + $"Group 1 holds the smallest losses. Two orders that know nothing of each other overlap by {Percent(1.0 / groups)}. Above, the groups between the first and the last are gray; below, all of them in chosen epochs.",
            "Where group 1 overlaps far more than the middle groups, the natural loss is enough to find the adversarial images that are memorized.",
            "Defined in: DOM, section 3.2, figure 3, fourth panels; the paper reports about 90 % for group 1 once overfitting has set in.",
        ]);
    }

    private static AnalysisFigure? ByConfidence(RunAnalysis a)
    {
        var epochs = a.Epochs.Where(e => e.ByConfidence is not null).ToArray();
        if (epochs.Length == 0)
            return null;
        var chart = Lines(a, "Mean adversarial loss of confident samples and of the others, per epoch", "adversarial loss (nats)", epochs,
        [
            new($"natural loss below {Value(a.Settings.Split)}", [.. epochs.Select(e => e.ByConfidence!.Confident.MeanLoss)]),
            new("all others", [.. epochs.Select(e => e.ByConfidence!.Others.MeanLoss)]),
        ]);
        var last = epochs[^1].ByConfidence!;
        return new("Adversarial loss by natural confidence", [("adversarial-by-confidence", chart.ToElement())],
        [
            $"In epoch {epochs[^1].Epoch} the groups have {last.Confident.Samples:N0} and {last.Others.Samples:N0} samples; a curve has a gap where its group is empty.",
            "Two curves that stay apart say that a threshold on the natural loss tells easy adversarial images from hard ones: that is why DOM looks at the natural loss only.",
            "Defined in: DOM, section 3.2, figure 4, which divides at 1.5.",
        ]);
    }

    private static AnalysisFigure? Labels(RunAnalysis a)
    {
        var epochs = a.Epochs.Where(e => e.Labels is not null).ToArray();
        if (epochs.Length == 0)
            return null;
        var chart = Lines(a, "Wrong labels and transformed samples, per epoch", "share", epochs,
        [
            new("of wrong labels: transformed", [.. epochs.Select(e => e.Labels!.WrongThatAreTransformed)]) { Color = 2, Dash = 0 },
            new("of right labels: transformed", [.. epochs.Select(e => (double)e.Labels!.Right.Transformed / e.Labels.Right.Total)]) { Color = 0, Dash = 1 },
            new("of transformed: wrong labels", [.. epochs.Select(e => e.Labels!.TransformedThatAreWrong)]) { Color = 1, Dash = 2 },
        ]) with
        { Format = AxisFormat.Percent, Markers = [] };
        var last = epochs[^1].Labels!;
        return new("Wrong labels among the transformed samples", [("labels", chart.ToElement())],
        [
            $"{last.Wrong.Total:N0} of {a.Samples:N0} labels were made wrong on purpose. In epoch {epochs[^1].Epoch} {last.Wrong.Transformed:N0} of them are transformed, {last.Wrong.Original:N0} original "
            + $"and {last.Wrong.None:N0} not confident; of the others {last.Right.Transformed:N0}, {last.Right.Original:N0} and {last.Right.None:N0}.",
            "A wrong label can only be learned by heart. Where nearly all of them end up transformed, DOM's set holds the memorized noise.",
            "Defined in: transformed, DOM, section 3.1; learning wrong labels as memorization, Arpit et al., A Closer Look at Memorization in Deep Networks (ICML 2017). The table of the two is this program's.",
        ]);
    }

    private static AnalysisFigure? Comparison(RunAnalysis a, IReadOnlyList<ComparedRun> runs)
    {
        if (runs.Count == 0)
            return null;
        int epochs = runs.Max(run => run.Accuracies.Count);
        var chart = new LineChart
        {
            Title = "Test accuracy of the compared runs, per epoch", YLabel = "test accuracy", Format = AxisFormat.Percent,
            X = [.. Enumerable.Range(1, epochs).Select(e => (double)e)], Markers = Warmup(a, epochs),
            Series = [.. runs.Select(run => new ChartSeries($"{run.Name}: {run.Removal}",
                [.. Enumerable.Range(0, epochs).Select(e => e < run.Accuracies.Count ? run.Accuracies[e].Test ?? double.NaN : double.NaN)]))],
        };
        return new("Removal experiments", [("comparison", chart.ToElement())],
        [
            "What is removed, and the test error in the end, which the paper calls the generalization gap: "
            + string.Join("; ", runs.Select(run => $"{run.Removal} ({run.Name}) {Percent(run.Error)}, best {Percent(1 - run.Best)}")) + ".",
            "In the paper (CIFAR-10, PreActResNet-18): none 4.84 %, all 4.63 %, original 5.57 %, transformed 4.42 %. Removing the transformed samples helps, removing the original ones harms.",
            "Defined in: DOM, section 3.1, figure 1 right.",
        ]);
    }

    private static LineChart Lines(RunAnalysis a, string title, string yLabel, IReadOnlyList<EpochAnalysis> epochs, IReadOnlyList<ChartSeries> series) => new()
    {
        Title = title, X = Epochs(epochs), YLabel = yLabel, Series = series, Markers = Warmup(a, a.Epochs.Count),
    };

    private static double[] Epochs(IEnumerable<EpochAnalysis> epochs) => [.. epochs.Select(e => (double)e.Epoch)];

    // K lies between the last epoch of the warm-up and the first one behind it.
    private static ChartMarker[] Warmup(RunAnalysis a, int epochs) =>
        a.Settings.Warmup >= 1 && a.Settings.Warmup < epochs ? [new(a.Settings.Warmup + 0.5, $"K = {a.Settings.Warmup}")] : [];

    private static string Value(float value) => Number(Math.Round(value, 6));
}
