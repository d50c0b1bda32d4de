using Dom.Train.Analysis;

namespace Dom.Train.Training;

/// <summary>What a run does when its network overfits catastrophically.</summary>
public enum CollapseResponse
{
    /// <summary>Nothing, and nothing is looked for.</summary>
    Off,

    /// <summary>Says so, once, and writes it into the figures of the epoch.</summary>
    Warn,

    /// <summary>Says so and stops behind the epoch, with everything saved; a resumed run goes on.</summary>
    Stop,

    /// <summary>Says so and removes confident samples (DOM_RE) from the next epoch on.</summary>
    Dom,
}

/// <summary>Watches a run for catastrophic overfitting, by the figures that every epoch has anyway; see <see cref="CollapseRule"/>.</summary>
public static class CollapseAlarm
{
    /// <summary>Judges an epoch that is over.</summary>
    /// <param name="state">Where the run stood before; it knows the robust accuracy of the epoch before and whether there was an alarm.</param>
    /// <param name="metrics">The epoch's figures.</param>
    /// <param name="response">What the run does; nothing is looked for where that is nothing.</param>
    /// <param name="classes">Number of classes.</param>
    /// <returns>The state with what the next call needs, and the sign; null where there is none or an earlier epoch had one.</returns>
    public static (RunState State, CollapseSign? Sign) Watch(RunState state, EpochMetrics metrics, CollapseResponse response, int classes)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(metrics);
        if (response == CollapseResponse.Off || metrics.TestRobustAccuracy is not { } robust)
            return (state, null);
        var sign = CollapseRule.Judge(state.LastRobust < 0 ? null : state.LastRobust, robust, metrics.TrainRobustAccuracy, classes);
        bool isFirst = sign != CollapseSign.None && state.CollapseEpoch == 0;
        return (state with { LastRobust = robust, CollapseEpoch = isFirst ? metrics.Epoch : state.CollapseEpoch }, isFirst ? sign : null);
    }

    /// <summary>The sign in a sentence, with the figures that it was seen in.</summary>
    /// <param name="metrics">Figures of the epoch with the sign.</param>
    /// <param name="before">Robust accuracy of the epoch before; needed for a fall.</param>
    public static string Describe(EpochMetrics metrics, double? before)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        string test = Percent(metrics.TestRobustAccuracy), training = Percent(metrics.TrainRobustAccuracy);
        return metrics.Collapse switch
        {
            CollapseSign.Fall => $"Catastrophic overfitting in epoch {metrics.Epoch}: test accuracy under {metrics.RobustAttack} fell {(before is null ? "" : $"from {Percent(before)} ")}to {test}, "
                + $"while {training} of the training images are right under the training attack.",
            CollapseSign.Gap => $"Catastrophic overfitting in epoch {metrics.Epoch}: {training} of the training images are right under the training attack, and under {metrics.RobustAttack} "
                + $"{test} of the test images, no more than guessing gives.",
            _ => "",
        };
    }

    private static string Percent(double? share) =>
        share is { } value ? (100 * value).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture) + " %" : "an unknown share";
}
