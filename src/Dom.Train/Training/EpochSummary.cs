using Dom.Tensors.Ops;
using Dom.Train.Data;
using Dom.Train.Memorization;

namespace Dom.Train.Training;

/// <summary>The figures of an epoch from what it left in the ledgers and counted on its way.</summary>
/// <param name="options">Options of the run.</param>
/// <param name="train">The training split.</param>
internal sealed class EpochSummary(TrainOptions options, ImageSplit train)
{
    private readonly int[] _all = [.. Enumerable.Range(0, train.Count)];
    private readonly HashSet<int> _wrong = [.. Enumerable.Range(0, train.Count).Where(train.HasWrongLabel)];

    private bool Augments => options.Dom == DomAction.Augment;

    /// <summary>The figures.</summary>
    /// <param name="state">Where the run stands: all steps of the epoch are done.</param>
    /// <param name="natural">The natural ledger.</param>
    /// <param name="adversarial">The adversarial ledger, or null.</param>
    /// <param name="clean">The clean evaluation.</param>
    /// <param name="robust">The evaluation under attack, or null.</param>
    /// <param name="imagesPerSecond">Training speed.</param>
    public EpochMetrics Of(RunState state, float[] natural, float[]? adversarial, EvaluationResult clean, EvaluationResult? robust, double imagesPerSecond)
    {
        int epoch = state.Epoch + 1;
        double count = train.Count;
        return new EpochMetrics
        {
            Epoch = epoch,
            LearningRate = new Optimizers.Schedule(options.Schedule, options.LearningRate, options.Epochs).At(epoch),
            // The ledger holds cross-entropies: of the images before DOM augments them, and with TRADES a part of what is minimized.
            TrainLoss = options.Loss == LossKind.Trades || (Augments && adversarial is null)
                ? state.LossSum / count
                : Mean(adversarial ?? natural, LedgerRow.Loss, _all),
            TrainAccuracy = Mean(natural, LedgerRow.Correct, _all),
            TrainRobustAccuracy = adversarial is null ? null : Mean(adversarial, LedgerRow.Correct, _all),
            TestLoss = clean.Loss,
            TestAccuracy = clean.Accuracy,
            TestRobustAccuracy = robust?.Accuracy,
            RobustAttack = robust is null ? null : options.EvaluationAttack.ShortName,
            HighConfidence = _all.Count(i => natural[i * LedgerRow.Count + LedgerRow.Loss] < (float)options.EffectiveThreshold) / count,
            Removed = 1 - state.Kept / count,
            Augmented = Augments ? state.Selected / count : null,
            Accepted = Augments ? state.Accepted / count : null,
            Tries = state.Selected > 0 ? state.Tries / (double)state.Selected : null,
            RightLabelAccuracy = _wrong.Count == 0 ? null : Mean(natural, LedgerRow.Correct, _all.Where(i => !_wrong.Contains(i))),
            WrongLabelAccuracy = _wrong.Count == 0 ? null : Mean(natural, LedgerRow.Correct, _wrong),
            ImagesPerSecond = imagesPerSecond,
        };
    }

    private static double Mean(float[] ledger, int column, IEnumerable<int> rows) => rows.Average(row => (double)ledger[row * LedgerRow.Count + column]);
}
