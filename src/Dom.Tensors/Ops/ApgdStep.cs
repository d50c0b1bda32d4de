using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// A step of Auto-PGD in the maximum norm, with momentum and a step size for every row: z = P(x + s[n] sign(g)),
/// y = P(x + Momentum (z - x) + (1 - Momentum) (x - previous)), where P(v) = clamp(clamp(v, clean - Epsilon, clean + Epsilon), Low, High).
/// </summary>
/// <remarks>
/// Clean, X, Previous, Gradient, Y [Rows, RowLength]; StepSizes [Rows] f32. sign(0) = 0, and sign(NaN) = 0. Y may be the memory of X or Previous: every
/// element is read before it is written. Croce and Hein 2020, section 3 and algorithm 1.
/// </remarks>
public readonly record struct ApgdSignStep(
    View Clean, View X, View Previous, View Gradient, View StepSizes, View Y, int Rows, int RowLength, float Momentum, float Epsilon, float Low, float High)
    : IKernelCall;

/// <summary>Steps of Auto-PGD (Croce and Hein 2020): along the sign of the gradient, with a part of the step before.</summary>
public static class ApgdStep
{
    /// <summary>A step within the ball of the maximum norm and the range of pixels; a new tensor. See <see cref="ApgdSignStep"/>.</summary>
    /// <param name="clean">The centres of the balls [N, ...].</param>
    /// <param name="x">Where the step starts, of that shape.</param>
    /// <param name="previous">Where the step before started, of that shape; x itself where there was none.</param>
    /// <param name="gradient">Gradient of the loss at x, of that shape.</param>
    /// <param name="stepSizes">[N] f32: length of the step of each row along every axis; below 0 descends.</param>
    /// <param name="momentum">Share of the new step, 0..1; the rest is the step before.</param>
    /// <param name="epsilon">Radius of the balls, 0 or above, in the unit of the pixels.</param>
    /// <param name="low">Smallest pixel.</param>
    /// <param name="high">Largest pixel.</param>
    /// <exception cref="ShapeException">The shapes or types differ, or there are no rows.</exception>
    /// <exception cref="ArgumentException">The radius is negative, the momentum is outside 0..1, or low is not below high.</exception>
    public static Tensor Sign(
        Tensor clean, Tensor x, Tensor previous, Tensor gradient, Tensor stepSizes, float momentum, float epsilon, float low = 0, float high = 1)
    {
        if (new[] { x, previous, gradient }.Any(other => other.Shape != clean.Shape || other.Type != clean.Type))
            throw new ShapeException($"apgd step: clean is {clean}, x {x}, the one before {previous}, the gradient {gradient}; shape and type must agree.");
        if (x.Shape.Rank < 2)
            throw new ShapeException($"apgd step: x must be [N, ...], a row for each sample, got {x.Shape}.");
        int rows = x.Shape[0];
        if (stepSizes.Shape != Shape.Of(rows) || stepSizes.Type != x.Type.Accumulator())
            throw new ShapeException($"apgd step: {x.Shape} needs step sizes f32 [{rows}], one for each row; got {stepSizes}.");
        if (!(momentum >= 0 && momentum <= 1))
            throw new ArgumentException($"apgd step: the share of the new step must be 0 to 1, got {momentum}.", nameof(momentum));
        if (!(epsilon >= 0))
            throw new ArgumentException($"apgd step: the radius epsilon must be 0 or above, got {epsilon}.", nameof(epsilon));
        if (!(low < high))
            throw new ArgumentException($"apgd step: low must be below high, got {low} and {high}.", nameof(low));
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "apgd step");
        x.Backend.Run(new ApgdSignStep(
            clean.Read, x.Read, previous.Read, gradient.Read, stepSizes.Read, y.Write,
            rows, rows == 0 ? 0 : x.Count / rows, momentum, epsilon, low, high));
        return y;
    }
}
