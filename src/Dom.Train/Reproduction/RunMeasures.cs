using Dom.Train.Training;

namespace Dom.Train.Reproduction;

/// <summary>What a finished run says to the columns of a table.</summary>
public static class RunMeasures
{
    /// <summary>
    /// A measure of a run, in percent; null where the run has no such figure.
    /// </summary>
    /// <remarks>
    /// "Best" is the epoch of the highest test accuracy, robust in adversarial training, as in the authors' code: chosen on the test images, the first of equals.
    /// </remarks>
    /// <param name="measure">The measure.</param>
    /// <param name="metrics">The figures of all epochs.</param>
    /// <param name="autoAttack">What AutoAttack found, where it was run.</param>
    public static double? Of(PaperMeasure measure, IReadOnlyList<EpochMetrics> metrics, AutoAttackAccuracy? autoAttack)
    {
        if (metrics.Count == 0)
            return null;
        var last = metrics[^1];
        bool isRobust = last.TestRobustAccuracy is not null;
        var best = metrics.MaxBy(epoch => isRobust ? epoch.TestRobustAccuracy : epoch.TestAccuracy)!;
        return measure switch
        {
            PaperMeasure.BestError => 100 * (1 - Accuracy(best)),
            PaperMeasure.LastError => 100 * (1 - Accuracy(last)),
            PaperMeasure.ErrorDifference => 100 * (Accuracy(last) - Accuracy(best)),
            PaperMeasure.BestNatural => 100 * best.TestAccuracy,
            PaperMeasure.LastNatural => 100 * last.TestAccuracy,
            PaperMeasure.BestPgd => 100 * best.TestRobustAccuracy,
            PaperMeasure.LastPgd => 100 * last.TestRobustAccuracy,
            PaperMeasure.BestAutoAttack => 100 * autoAttack?.Best,
            PaperMeasure.LastAutoAttack => 100 * autoAttack?.Last,
            _ => null,
        };

        double Accuracy(EpochMetrics epoch) => epoch.TestRobustAccuracy ?? epoch.TestAccuracy;
    }
}
