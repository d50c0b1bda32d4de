namespace Dom.Train.Analysis;

/// <summary>Why an epoch counts as catastrophic overfitting.</summary>
public enum CollapseSign
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>Robust test accuracy fell by more than 20 points since the epoch before.</summary>
    Fall,

    /// <summary>Robust test accuracy is no better than guessing while training accuracy under the training attack is more than 40 points above it.</summary>
    Gap,
}

/// <summary>Catastrophic overfitting from the figures of an epoch: the network resists the attack it trains with, and falls to PGD.</summary>
/// <remarks>
/// <see cref="CollapseSign.Fall"/> is the rule by which fast_adversarial (Wong, Rice and Kolter, ICLR 2020) stops a run, there on a training batch
/// under PGD-5, here on the test images under the run's evaluation attack; DOM's figure 3b shows such a fall.
/// <see cref="CollapseSign.Gap"/> is this project's addition for networks that never were robust, so that nothing can fall.
/// </remarks>
public static class CollapseRule
{
    /// <summary>A fall by more than this between two epochs is a collapse.</summary>
    public const double LargestFall = 0.2;

    /// <summary>Training accuracy under attack may be this far above robust test accuracy.</summary>
    public const double LargestGap = 0.4;

    // Accuracies are quotients of whole numbers: a fall by exactly 20 points must not become more than that by rounding.
    private const double Rounding = 1e-9;

    /// <summary>Judges an epoch.</summary>
    /// <param name="before">Robust test accuracy of the epoch before, 0..1; null or NaN where it was not measured.</param>
    /// <param name="now">Robust test accuracy, 0..1; null or NaN where it was not measured.</param>
    /// <param name="training">Accuracy on training images under the training attack, 0..1; null or NaN where it was not measured.</param>
    /// <param name="classes">Number of classes; 0 where it is not known, which leaves the gap out.</param>
    public static CollapseSign Judge(double? before, double? now, double? training, int classes = 0)
    {
        if (now is not { } robust || double.IsNaN(robust))
            return CollapseSign.None;
        if (before - robust > LargestFall + Rounding)
            return CollapseSign.Fall;
        return classes > 0 && robust <= 1.0 / classes && training - robust > LargestGap + Rounding ? CollapseSign.Gap : CollapseSign.None;
    }
}
