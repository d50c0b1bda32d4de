namespace Dom.Train.Analysis;

/// <summary>The accuracies of one epoch, 0..1; null where they were not measured.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Train">On clean training images as they were visited, labels as given.</param>
/// <param name="Test">On clean test images.</param>
/// <param name="TrainAttacked">On training images under the training attack.</param>
/// <param name="TestAttacked">On test images under the evaluation attack.</param>
public sealed record AccuracyPoint(int Epoch, double? Train, double? Test, double? TrainAttacked = null, double? TestAttacked = null);

/// <summary>Where a kind of overfitting sets in.</summary>
/// <param name="Epoch">The first epoch that shows it, from 1.</param>
/// <param name="Before">What it is measured against: see the members of <see cref="OverfittingOnsets"/>.</param>
/// <param name="After">The value at <paramref name="Epoch"/>.</param>
public sealed record Onset(int Epoch, double Before, double After);

/// <summary>The onsets of natural, robust and catastrophic overfitting, by rules that leave no choice.</summary>
/// <remarks>
/// DOM (ICLR 2024), section 3, shows the three in curves and gives no rule but that of a collapse; the rules for natural and robust overfitting are this
/// project's. Both must hold in every epoch from the onset to the end and in at least two, so that a single noisy epoch is no onset.
/// </remarks>
public sealed record OverfittingOnsets
{
    /// <summary>A gap of training over test accuracy of this size is natural overfitting: the paper's "about 5 points".</summary>
    public const double NaturalGap = 0.05;

    /// <summary>Robust test accuracy this far below its best is robust overfitting.</summary>
    public const double RobustDecline = 0.02;

    private const int FewestEpochs = 2;
    private const double Rounding = 1e-9;

    /// <summary>
    /// Natural overfitting: the first epoch from which on clean training accuracy is at least 5 points above clean test accuracy. Before and after: the
    /// gap in the epoch before (NaN for the first) and at the onset. Null where there is none.
    /// </summary>
    public Onset? Natural { get; private init; }

    /// <summary>
    /// Robust overfitting: the first epoch from which on robust test accuracy is at least 2 points below its best so far, while training accuracy under
    /// attack is no lower than at that best, and the best is better than guessing by 2 points or more. Looked for before a collapse only. Before and after: the best so far, and the value at the onset.
    /// </summary>
    public Onset? Robust { get; private init; }

    /// <summary>
    /// Catastrophic overfitting: the first epoch whose robust test accuracy is more than 20 points below that of the epoch measured before, see
    /// <see cref="CollapseRule"/>. Before and after: the two.
    /// </summary>
    public Onset? Catastrophic { get; private init; }

    /// <summary>
    /// The first epoch at which robust test accuracy is no better than guessing and training accuracy under attack more than 40 points above it, see
    /// <see cref="CollapseRule"/>: a network that collapsed early, or slowly. Before and after: training accuracy under attack, robust test accuracy.
    /// </summary>
    public Onset? Gap { get; private init; }

    /// <summary>Finds the onsets.</summary>
    /// <param name="points">The epochs in order.</param>
    /// <param name="classes">Number of classes; 0 where it is not known.</param>
    public static OverfittingOnsets Find(IReadOnlyList<AccuracyPoint> points, int classes = 0)
    {
        ArgumentNullException.ThrowIfNull(points);
        var collapse = Collapse(points);
        return new OverfittingOnsets
        {
            Natural = Widening(points),
            Robust = Decline([.. points.Where(p => p.TestAttacked is not null && (collapse is null || p.Epoch < collapse.Epoch))],
                classes > 0 ? 1.0 / classes : 0),
            Catastrophic = collapse,
            Gap = points.Where(p => CollapseRule.Judge(null, p.TestAttacked, p.TrainAttacked, classes) == CollapseSign.Gap)
                .Select(p => new Onset(p.Epoch, p.TrainAttacked!.Value, p.TestAttacked!.Value)).FirstOrDefault(),
        };
    }

    private static Onset? Widening(IReadOnlyList<AccuracyPoint> points)
    {
        var measured = points.Where(p => p.Train is not null && p.Test is not null).ToArray();
        var gaps = Array.ConvertAll(measured, p => p.Train!.Value - p.Test!.Value);
        return StartOfTail(gaps.Length, i => gaps[i] >= NaturalGap - Rounding) is { } start
            ? new Onset(measured[start].Epoch, start == 0 ? double.NaN : gaps[start - 1], gaps[start])
            : null;
    }

    private static Onset? Decline(AccuracyPoint[] points, double guessing)
    {
        // The best up to and including an epoch; of equal ones the first.
        var best = new int[points.Length];
        for (int i = 1; i < points.Length; i++)
            best[i] = points[i].TestAttacked > points[best[i - 1]].TestAttacked ? i : best[i - 1];
        bool Declines(int i) => points[best[i]].TestAttacked - points[i].TestAttacked >= RobustDecline - Rounding
            && points[best[i]].TestAttacked - guessing >= RobustDecline - Rounding
            && (points[i].TrainAttacked ?? double.NaN) >= (points[best[i]].TrainAttacked ?? double.NaN);
        return StartOfTail(points.Length, Declines) is { } start
            ? new Onset(points[start].Epoch, points[best[start]].TestAttacked!.Value, points[start].TestAttacked!.Value)
            : null;
    }

    private static Onset? Collapse(IReadOnlyList<AccuracyPoint> points)
    {
        AccuracyPoint? before = null;
        foreach (var point in points.Where(p => p.TestAttacked is not null))
        {
            if (CollapseRule.Judge(before?.TestAttacked, point.TestAttacked, point.TrainAttacked) == CollapseSign.Fall)
                return new Onset(point.Epoch, before!.TestAttacked!.Value, point.TestAttacked!.Value);
            before = point;
        }
        return null;
    }

    /// <summary>The first position from which on a condition holds to the end, in at least two places.</summary>
    private static int? StartOfTail(int count, Func<int, bool> holds)
    {
        int start = count;
        while (start > 0 && holds(start - 1))
            start--;
        return count - start >= FewestEpochs ? start : null;
    }
}
