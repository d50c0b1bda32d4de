using System.Globalization;
using Dom.Train.Memorization;

namespace Dom.Train.Analysis;

/// <summary>A table of the analysis: what a CSV file holds.</summary>
/// <param name="File">Name of the file, such as <c>overlap.csv</c>.</param>
/// <param name="Header">Names of the columns; they are documented in docs/analysis.md.</param>
/// <param name="Rows">Cells of every row; null and NaN become empty cells.</param>
public sealed record AnalysisTable(string File, IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<double?>> Rows)
{
    /// <summary>Writes header and rows; lines end in a line feed, numbers are in the invariant culture and read back as the same f64.</summary>
    public void Write(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(string.Join(',', Header) + "\n");
        foreach (var row in Rows)
            writer.Write(string.Join(',', row.Select(Text)) + "\n");
    }

    private static string Text(double? cell) => cell is { } value && !double.IsNaN(value) ? value.ToString(CultureInfo.InvariantCulture) : "";
}

/// <summary>The tables of an analysis. Epochs count from 1, shares and accuracies are 0..1, losses are in nats, an empty cell was not measured.</summary>
public static class AnalysisTables
{
    /// <summary>All tables that have rows.</summary>
    /// <param name="analysis">The analysis.</param>
    /// <param name="compared">Runs to be compared, this one among them; may be empty.</param>
    public static IReadOnlyList<AnalysisTable> Of(RunAnalysis analysis, params IReadOnlyList<ComparedRun> compared)
    {
        ArgumentNullException.ThrowIfNull(compared);
        ArgumentNullException.ThrowIfNull(analysis);
        AnalysisTable[] tables =
        [
            Accuracy(analysis), NaturalRanges(analysis), AdversarialRanges(analysis), Confidence(analysis), Groups(analysis), Persistence(analysis),
            Overlap(analysis), ByConfidence(analysis), Labels(analysis), Comparison(compared),
        ];
        return [.. tables.Where(table => table.Rows.Count > 0)];
    }

    private static AnalysisTable Accuracy(RunAnalysis a) => new("accuracy.csv",
        ["epoch", "train", "test", "gap", "train_attacked", "test_attacked"],
        [.. a.Accuracies.Select(p => Row(p.Epoch, p.Train, p.Test, p.Train - p.Test, p.TrainAttacked, p.TestAttacked))]);

    private static AnalysisTable NaturalRanges(RunAnalysis a) =>
        Ranges("natural_ranges.csv", a, a.Epochs.Select(e => (e.Epoch, (double?)e.MeanNaturalLoss, (LossShares?)e.Natural)));

    private static AnalysisTable AdversarialRanges(RunAnalysis a) =>
        Ranges("adversarial_ranges.csv", a, a.Epochs.Select(e => (e.Epoch, e.MeanAdversarialLoss, e.Adversarial)));

    private static AnalysisTable Ranges(string file, RunAnalysis a, IEnumerable<(int Epoch, double? Mean, LossShares? Shares)> epochs) => new(file,
        ["epoch", "mean_loss", .. Enumerable.Range(0, a.Settings.Ranges.Count).Select(range => "share_" + a.Settings.Ranges.Label(range)), "share_nan"],
        [.. epochs.Where(e => e.Shares is not null).Select(e => Row([e.Epoch, e.Mean, .. Cells(e.Shares!.Shares), e.Shares.NotANumber]))]);

    private static AnalysisTable Confidence(RunAnalysis a) => new("confidence.csv",
        ["epoch", "high_confidence", "none_samples", "original_samples", "transformed_samples"],
        [.. a.Epochs.Select(e => Row(e.Epoch, e.HighConfidence, e.Kinds?.None, e.Kinds?.Original, e.Kinds?.Transformed))]);

    private static AnalysisTable Groups(RunAnalysis a) => new("groups.csv",
        [
            "epoch", "fixed_original_samples", "fixed_original_mean_loss", "fixed_transformed_samples", "fixed_transformed_mean_loss",
            "current_original_samples", "current_original_mean_loss", "current_transformed_samples", "current_transformed_mean_loss",
        ],
        [.. a.Epochs.Where(e => e.Groups is not null).Select(e => Row(
            [e.Epoch, .. Cells(e.Groups!.FixedOriginal), .. Cells(e.Groups.FixedTransformed), .. Cells(e.Groups.CurrentOriginal), .. Cells(e.Groups.CurrentTransformed)]))]);

    private static AnalysisTable Persistence(RunAnalysis a) => new("persistence.csv",
        [
            "epoch", "epochs_after", "all_samples", "all_change", "all_still_confident", "original_samples", "original_change",
            "original_still_confident", "transformed_samples", "transformed_change", "transformed_still_confident",
        ],
        [.. a.Epochs.Where(e => e.Persistence is not null).Select(e => Row([e.Epoch, e.Epoch - a.Settings.Warmup - 1,
            .. Cells(e.Persistence!.All), .. Cells(e.Persistence.Original), .. Cells(e.Persistence.Transformed)]))]);

    private static AnalysisTable Overlap(RunAnalysis a) => new("overlap.csv",
        ["epoch", .. Enumerable.Range(1, a.Settings.Groups).Select(group => $"group_{group}")],
        [.. a.Epochs.Where(e => e.Overlap is not null).Select(e => Row([e.Epoch, .. Cells(e.Overlap!)]))]);

    private static AnalysisTable ByConfidence(RunAnalysis a) => new("adversarial_by_confidence.csv",
        ["epoch", "confident_samples", "confident_mean_loss", "other_samples", "other_mean_loss"],
        [.. a.Epochs.Where(e => e.ByConfidence is not null).Select(e => Row([e.Epoch, .. Cells(e.ByConfidence!.Confident), .. Cells(e.ByConfidence.Others)]))]);

    private static AnalysisTable Labels(RunAnalysis a) => new("labels.csv",
        [
            "epoch", "right_none", "right_original", "right_transformed", "wrong_none", "wrong_original", "wrong_transformed",
            "wrong_that_are_transformed", "transformed_that_are_wrong",
        ],
        [.. a.Epochs.Where(e => e.Labels is not null).Select(e => Row([e.Epoch, .. Cells(e.Labels!.Right), .. Cells(e.Labels.Wrong),
            e.Labels.WrongThatAreTransformed, e.Labels.TransformedThatAreWrong]))]);

    private static AnalysisTable Comparison(IReadOnlyList<ComparedRun> runs) => new("comparison.csv",
        ["epoch", .. runs.Select((run, i) => $"test_{i + 1}_{new string([.. run.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '_')])}")],
        [.. Enumerable.Range(0, runs.Count == 0 ? 0 : runs.Max(run => run.Accuracies.Count)).Select(epoch => Row(
            [epoch + 1, .. runs.Select(run => epoch < run.Accuracies.Count ? run.Accuracies[epoch].Test : null)]))]);

    private static double?[] Row(params double?[] cells) => cells;

    private static IEnumerable<double?> Cells(IEnumerable<double> values) => values.Select(value => (double?)value);

    private static double?[] Cells(GroupMean? group) => [group?.Samples, group?.MeanLoss];

    private static double?[] Cells(GroupChange change) => [change.Samples, change.MeanChange, change.StillConfident];

    private static double?[] Cells(KindCounts kinds) => [kinds.None, kinds.Original, kinds.Transformed];
}
