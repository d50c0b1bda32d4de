using Dom.Nn.StateDictionaries;
using Dom.Train.Memorization;

namespace Dom.Train.Analysis;

/// <summary>The columns of a ledger that an analysis reads: those of a pass at the end of every epoch where there are some, else those of training.</summary>
/// <param name="Natural">Natural losses.</param>
/// <param name="Adversarial">Adversarial losses of the same kind; null where there are none.</param>
internal sealed record AnalysisColumns(string Natural, string? Adversarial)
{
    /// <summary>Chooses the columns.</summary>
    /// <exception cref="CheckpointException">The ledger has no natural losses.</exception>
    public static AnalysisColumns Of(LedgerStore ledger)
    {
        // Losses of a pass and losses of training are never mixed: they are of different networks and different views.
        if (ledger.Has(LedgerColumns.EvaluationNaturalLoss))
        {
            // The paper's adversarial patterns of single-step training are those of the single step: they turn easy when training collapses.
            return new(LedgerColumns.EvaluationNaturalLoss,
                Present(ledger, LedgerColumns.EvaluationFgsmLoss) ?? Present(ledger, LedgerColumns.EvaluationAdversarialLoss));
        }
        return ledger.Has(LedgerColumns.NaturalLoss)
            ? new(LedgerColumns.NaturalLoss, Present(ledger, LedgerColumns.AdversarialLoss))
            : throw new CheckpointException(
                $"{ledger.Folder}: has no column {LedgerColumns.NaturalLoss}, from which everything is computed; there are {string.Join(", ", ledger.Columns)}.");
    }

    private static string? Present(LedgerStore ledger, string column) => ledger.Has(column) ? column : null;
}
