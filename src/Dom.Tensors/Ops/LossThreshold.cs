using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>A threshold that follows the losses of a batch, and who is on which side of it.</summary>
/// <remarks>
/// losses [Rows]. threshold[0] = Factor mean(losses), summed in row order, where Lower is negative; else, with s the losses in ascending order,
/// s[Lower] + Factor (s[Lower + 1] - s[Lower]), and s[Lower] where Factor is 0 or Lower the last. keep[n] = 1 where losses[n] &gt; threshold
/// (Comparison 1) or losses[n] &gt;= threshold (2), else 0; decided on the threshold as stored. A NaN among the losses makes the threshold NaN, and nothing
/// is kept.
/// </remarks>
public readonly record struct LossThreshold(View Losses, View Keep, View Threshold, int Rows, int Lower, float Factor, int Comparison) : IKernelCall;

/// <summary>Thresholds relative to the losses of the batch: they stay on the device, where the losses are. Nothing is recorded on a tape: thresholds and masks are constants.</summary>
/// <remarks>DOM (Lin et al., ICLR 2024), appendix G, has one adaptive threshold of "40 %"; what it is relative to is read from its reference, AdaMatch.</remarks>
public static class AdaptiveThreshold
{
    /// <summary>T = factor times the mean of the losses.</summary>
    /// <param name="losses">[N], f32, in nats; N at least 1.</param>
    /// <param name="factor">0 or more.</param>
    /// <param name="comparison">Which losses are kept.</param>
    /// <returns>keep [N], 1 or 0, and the threshold [1].</returns>
    /// <exception cref="ShapeException">The losses are not real numbers [N].</exception>
    /// <exception cref="ArgumentOutOfRangeException">The factor is negative or not finite, or the comparison has no threshold.</exception>
    public static (Tensor Keep, Tensor Threshold) OfMean(Tensor losses, double factor, LossComparison comparison)
    {
        if (!(factor >= 0 && double.IsFinite(factor)))
            throw new ArgumentOutOfRangeException(nameof(factor), factor, "threshold: the factor of the mean must be a number of 0 or more.");
        return Run(losses, -1, (float)factor, comparison);
    }

    /// <summary>T = the loss that a share of the batch lies below: between neighbours in order interpolated linearly, as numpy does.</summary>
    /// <param name="losses">[N], f32, in nats; N at least 1.</param>
    /// <param name="share">0 (the smallest loss) to 1 (the largest).</param>
    /// <param name="comparison">Which losses are kept.</param>
    /// <returns>keep [N], 1 or 0, and the threshold [1].</returns>
    /// <exception cref="ShapeException">The losses are not real numbers [N].</exception>
    /// <exception cref="ArgumentOutOfRangeException">The share is not in 0..1, or the comparison has no threshold.</exception>
    public static (Tensor Keep, Tensor Threshold) OfQuantile(Tensor losses, double share, LossComparison comparison)
    {
        if (!(share >= 0 && share <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), share, "threshold: the share of a quantile must be in 0..1.");
        double position = share * (losses.Count - 1);
        int lower = Math.Max(0, (int)position);
        return Run(losses, lower, (float)(position - lower), comparison);
    }

    private static (Tensor Keep, Tensor Threshold) Run(Tensor losses, int lower, float factor, LossComparison comparison)
    {
        if (losses.Shape.Rank != 1 || losses.Count == 0 || !losses.Type.IsFloat())
            throw new ShapeException($"threshold: the losses must be real numbers [N], at least one, got {losses}.");
        if (comparison is not (LossComparison.KeepAbove or LossComparison.KeepAtOrAbove))
            throw new ArgumentOutOfRangeException(nameof(comparison), comparison, "threshold: losses above, or at or above the threshold can be kept.");
        var keep = Tensor.Empty(losses.Shape, losses.Type, losses.Backend, "threshold");
        var threshold = Tensor.Empty(Shape.Of(1), losses.Type, losses.Backend, "threshold");
        losses.Backend.Run(new LossThreshold(losses.Read, keep.Write, threshold.Write, losses.Count, lower, factor, (int)comparison));
        return (keep, threshold);
    }
}
