using System.Globalization;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Analysis;

/// <summary>Says in words what an analysis cannot show.</summary>
internal static class MissingFigures
{
    public static IEnumerable<MissingFigure> Of(
        LedgerStore ledger, AnalysisColumns columns, IReadOnlyList<EpochMetrics> metrics, AnalysisSettings settings, int epochs,
        IReadOnlyList<EpochAnalysis> analyzed)
    {
        if (metrics.Count == 0)
        {
            yield return new("accuracy on test images, onsets of overfitting",
                "There is no metrics.jsonl beside the ledger; what is shown is the training accuracy that the ledger has.");
        }
        if (columns.Adversarial is null)
        {
            yield return new("adversarial losses, rank overlap, adversarial loss by natural confidence", ledger.Has(LedgerColumns.AdversarialLoss)
                ? "The pass at the end of every epoch measured natural losses only; its losses are not mixed with those of training."
                : "The run trained without an attack: its ledger has no adversarial losses.");
        }
        else if (metrics.Count > 0 && metrics.All(m => m.TestRobustAccuracy is null))
        {
            yield return new("robust and catastrophic overfitting",
                "Robust accuracy on test images was not measured (--eval-steps 0), so no fall of it can be seen.");
        }
        if (settings.Warmup < epochs && analyzed.FirstOrDefault(e => e.Persistence is not null) is { Persistence.All.Samples: 0 } behind)
            yield return new("group means, persistence", $"No sample had a loss below T = {settings.Threshold.ToString(CultureInfo.InvariantCulture)} in epoch {behind.Epoch}, the first behind K.");
        if (Comparison(settings, epochs) is { } reason)
            yield return new("original and transformed high confidence, persistence", reason);
        else if (LedgerSummary.WrongLabels(ledger) is null)
        {
            yield return new("right and wrong labels", ledger.Has(LedgerColumns.TrueLabel)
                ? "No label of the run was made wrong."
                : "The ledger does not say which labels are wrong.");
        }
    }

    private static string? Comparison(AnalysisSettings settings, int epochs) => settings.Warmup switch
    {
        _ when epochs == 1 => "The run has one epoch; a comparison needs one at the end of the warm-up and one behind it.",
        < 1 => "With a warm-up of K = 0 epochs there is no loss before it to compare with; another K can be given with --warmup.",
        int k when k >= epochs => $"The warm-up ends with epoch K = {k} and the ledger has {epochs} epochs; at least one behind K is needed. A smaller K can be given with --warmup.",
        _ => null,
    };
}
