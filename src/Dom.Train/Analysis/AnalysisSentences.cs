using System.Globalization;
using Dom.Train.Memorization;
using Dom.Train.Reports;

namespace Dom.Train.Analysis;

/// <summary>The main figures of an analysis, a name and a sentence each: what the command prints and the page begins with.</summary>
public static class AnalysisSentences
{
    /// <summary>All that the analysis has.</summary>
    public static IReadOnlyList<NamedText> Of(RunAnalysis analysis)
    {
        ArgumentNullException.ThrowIfNull(analysis);
        var sentences = new List<NamedText> { new("losses", Source(analysis)), new("high confidence", HighConfidence(analysis)) };
        if (analysis.Accuracies.Any(p => p.Test is not null))
        {
            sentences.Add(new("natural overfitting", Natural(analysis)));
            if (analysis.Accuracies.Any(p => p.TestAttacked is not null))
            {
                sentences.Add(new("robust overfitting", Robust(analysis)));
                sentences.Add(new("catastrophic overfitting", Catastrophic(analysis)));
            }
        }
        var last = analysis.Epochs[^1];
        if (last.Kinds is { } kinds)
            sentences.Add(new("over-memorized", Kinds(analysis, kinds)));
        if (last.Persistence is { All.Samples: > 0 } persistence && last.Epoch > analysis.Settings.Warmup + 1)
            sentences.Add(new("persistence", Persisting(analysis, persistence)));
        if (last.Overlap is { } overlap)
            sentences.Add(new("rank overlap", Overlap(analysis, overlap)));
        if (last.ByConfidence is { } split)
            sentences.Add(new("adversarial loss", Split(analysis, split)));
        if (last.Labels is { } labels)
            sentences.Add(new("wrong labels", Labels(labels)));
        return sentences;
    }

    /// <summary>What the losses of the analysis are.</summary>
    internal static string Source(RunAnalysis a) => a.IsOfEvaluationPass
        ? "measured after every epoch in a pass over the training images, network in evaluation mode" + (a.AdversarialColumn switch
        {
            LedgerColumns.EvaluationFgsmLoss => "; adversarial ones under FGSM",
            LedgerColumns.EvaluationAdversarialLoss => "; adversarial ones under PGD-10",
            _ => "",
        })
        : "as recorded in training, on the augmented images, each before the step that used it; dom train --ledger-pass measures them after every epoch";

    private static string HighConfidence(RunAnalysis a)
    {
        var last = a.Epochs[^1];
        string shares = $"{Percent(a.Epochs[0].HighConfidence)} of the samples below T = {Number(a.Settings.Threshold)} in epoch 1, "
            + $"{Percent(last.HighConfidence)} in epoch {last.Epoch}";
        return a.Jump is { } jump
            ? $"{shares}; around K = {a.Settings.Warmup} a jump of {Points(jump.Size)} ({jump.Windows(a.Settings.Warmup)})"
            : a.Epochs.Count == 1 ? $"{Percent(last.HighConfidence)} of the samples below T = {Number(a.Settings.Threshold)} in epoch 1" : shares;
    }

    private static string Natural(RunAnalysis a) => a.Onsets.Natural is { } onset
        ? $"from epoch {onset.Epoch} on: training accuracy stays 5 points or more above test accuracy ({Points(onset.After)} there, {Points(LastGap(a))} in the end)"
        : $"none: training accuracy does not stay 5 points above test accuracy ({Points(LastGap(a))} in the end)";

    private static string Robust(RunAnalysis a) => a.Onsets.Robust is { } onset
        ? $"from epoch {onset.Epoch} on: accuracy under attack on test images stays 2 points or more below its best ({Percent(onset.Before)}, then {Percent(onset.After)}) while training goes on improving"
        : "none: accuracy under attack on test images does not stay 2 points below its best" + (a.Onsets.Catastrophic is null ? "" : " before the collapse");

    private static string Catastrophic(RunAnalysis a) => (a.Onsets.Catastrophic, a.Onsets.Gap) switch
    {
        ({ } onset, _) => $"in epoch {onset.Epoch}: accuracy under attack on test images falls from {Percent(onset.Before)} to {Percent(onset.After)}, more than 20 points between two epochs",
        (null, { } gap) => $"from epoch {gap.Epoch} on, without a fall of 20 points: under attack {Percent(gap.Before)} of the training images are right and {Percent(gap.After)} of the test images, no more than guessing gives",
        _ => "none: accuracy under attack on test images never falls by more than 20 points between two epochs",
    };

    private static string Kinds(RunAnalysis a, KindCounts kinds) => kinds.Original + kinds.Transformed == 0
        ? $"no sample is below T in epoch {a.Epochs[^1].Epoch}"
        : $"{Count(kinds.Transformed)} of {Count(kinds.Original + kinds.Transformed)} confident samples in epoch {a.Epochs[^1].Epoch} were not below T in epoch K = {a.Settings.Warmup} "
        + $"(transformed), {Count(kinds.Original)} {(kinds.Original == 1 ? "was" : "were")} (original)";

    private static string Persisting(RunAnalysis a, Persistence p)
    {
        string Of(string name, GroupChange change) => change.Samples == 0
            ? $"no {name} samples"
            : $"{name} {Signed(change.MeanChange)} nats, {Percent(change.StillConfident)} still below T";
        return $"samples confident in epoch {a.Settings.Warmup + 1}, by epoch {a.Epochs[^1].Epoch}: {Of("original", p.Original)}; {Of("transformed", p.Transformed)}";
    }

    private static string Overlap(RunAnalysis a, IReadOnlyList<double> overlap) =>
        $"in epoch {a.Epochs[^1].Epoch} {Percent(overlap[0])} of the {Count(a.Samples / overlap.Count)} samples of smallest natural loss are those of smallest adversarial loss; by chance {Percent(1.0 / overlap.Count)}";

    private static string Split(RunAnalysis a, AdversarialByConfidence split) => (split.Confident.Samples, split.Others.Samples) switch
    {
        (0, _) => $"no sample has a natural loss below {Number(a.Settings.Split)} in epoch {a.Epochs[^1].Epoch}",
        (_, 0) => $"every sample has a natural loss below {Number(a.Settings.Split)} in epoch {a.Epochs[^1].Epoch}; their mean adversarial loss is {Number(split.Confident.MeanLoss)}",
        _ => $"in epoch {a.Epochs[^1].Epoch} {Number(split.Confident.MeanLoss)} nats on average where the natural loss is below {Number(a.Settings.Split)}, {Number(split.Others.MeanLoss)} where it is not",
    };

    private static string Labels(LabelTable labels) =>
        $"{Count(labels.Wrong.Transformed)} of {Count(labels.Wrong.Total)} wrongly labelled samples are transformed ({Percent(labels.WrongThatAreTransformed)}), {Count(labels.Wrong.Original)} original; "
        + $"of the transformed samples {Percent(labels.TransformedThatAreWrong)} are wrongly labelled, of all {Percent(labels.BaseRate)}";

    private static double? LastGap(RunAnalysis a) =>
        a.Accuracies.LastOrDefault(p => p.Train is not null && p.Test is not null) is { } point ? point.Train - point.Test : null;

    private static string Percent(double share) => Markup.Percent(share).Replace('\u00a0', ' ');

    private static string Number(double value) => Markup.Number(Math.Round(value, 6));

    private static string Count(int value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Signed(double value) => value.ToString("+0.000;-0.000;0.000", CultureInfo.InvariantCulture);

    private static string Points(double? value) => value is { } v && double.IsFinite(v)
        ? (v * 100).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) + " points"
        : "unknown";
}
