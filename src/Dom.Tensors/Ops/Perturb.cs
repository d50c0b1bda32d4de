using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// A step of FGSM or PGD in the maximum norm: y = clamp(clamp(x + StepSize sign(g), clean - Epsilon, clean + Epsilon), Low, High), elementwise.
/// </summary>
/// <remarks>sign(0) = 0, and sign(NaN) = 0: where there is no direction nothing moves. Y may be the memory of X: every element is read before it is written.</remarks>
public readonly record struct SignStep(
    View Clean, View X, View Gradient, View Y, float StepSize, float Epsilon, float Low, float High) : IKernelCall;

/// <summary>
/// A step of PGD in the Euclidean norm of each row: d = x + StepSize g / max(||g||, 1e-12) - clean; d *= min(1, Epsilon / max(||d||, 1e-12));
/// y = clamp(clean + d, Low, High).
/// </summary>
/// <remarks>All [Rows, RowLength]. Norms are accumulated in f64. A row whose gradient is 0 only gets projected. Y may be the memory of X.</remarks>
public readonly record struct L2Step(
    View Clean, View X, View Gradient, View Y, int Rows, int RowLength, float StepSize, float Epsilon, float Low, float High) : IKernelCall;

/// <summary>Steps of adversarial attacks: up the gradient, back into the ball around the clean image, back into the range of pixels.</summary>
/// <remarks>Pixels and radii are in the unit of the images, 0..1. An infinite radius means no ball. Nothing is recorded on a tape.</remarks>
public static class Perturb
{
    /// <summary>A step along the sign of the gradient within the ball of the maximum norm; a new tensor.</summary>
    /// <param name="clean">The centre of the ball, any shape.</param>
    /// <param name="x">Where the step starts, of that shape.</param>
    /// <param name="gradient">Gradient of the loss at x, of that shape.</param>
    /// <param name="stepSize">Length of the step along every axis.</param>
    /// <param name="epsilon">Radius of the ball, 0 or above.</param>
    /// <param name="low">Smallest pixel.</param>
    /// <param name="high">Largest pixel.</param>
    /// <exception cref="ShapeException">The shapes or types differ.</exception>
    /// <exception cref="ArgumentException">The radius is negative, or low is not below high.</exception>
    public static Tensor SignStep(Tensor clean, Tensor x, Tensor gradient, float stepSize, float epsilon, float low = 0, float high = 1)
    {
        Check("sign step", clean, x, gradient, stepSize, epsilon, low, high);
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "sign step");
        x.Backend.Run(new SignStep(clean.Read, x.Read, gradient.Read, y.Write, stepSize, epsilon, low, high));
        return y;
    }

    /// <summary>A step along the gradient of each row, scaled to <paramref name="stepSize"/>, within the ball of the Euclidean norm; a new tensor.</summary>
    /// <param name="clean">The centres of the balls [N, ...].</param>
    /// <param name="x">Where the step starts, of that shape.</param>
    /// <param name="gradient">Gradient of the loss at x, of that shape.</param>
    /// <param name="stepSize">Length of the step.</param>
    /// <param name="epsilon">Radius of the balls, 0 or above.</param>
    /// <param name="low">Smallest pixel.</param>
    /// <param name="high">Largest pixel.</param>
    /// <exception cref="ShapeException">The shapes or types differ, or there are no rows.</exception>
    /// <exception cref="ArgumentException">The radius is negative, or low is not below high.</exception>
    public static Tensor L2Step(Tensor clean, Tensor x, Tensor gradient, float stepSize, float epsilon, float low = 0, float high = 1)
    {
        Check("l2 step", clean, x, gradient, stepSize, epsilon, low, high);
        if (x.Shape.Rank < 2)
            throw new ShapeException($"l2 step: x must be [N, ...], a row for each sample, got {x.Shape}.");
        int rows = x.Shape[0];
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "l2 step");
        x.Backend.Run(new L2Step(
            clean.Read, x.Read, gradient.Read, y.Write, rows, rows == 0 ? 0 : x.Count / rows, stepSize, epsilon, low, high));
        return y;
    }

    private static void Check(string name, Tensor clean, Tensor x, Tensor gradient, float stepSize, float epsilon, float low, float high)
    {
        if (x.Shape != clean.Shape || gradient.Shape != clean.Shape || x.Type != clean.Type || gradient.Type != clean.Type)
            throw new ShapeException($"{name}: clean is {clean}, x {x}, the gradient {gradient}; shape and type must agree.");
        if (!float.IsFinite(stepSize))
            throw new ArgumentException($"{name}: the step size must be a finite number, got {stepSize}.", nameof(stepSize));
        if (!(epsilon >= 0))
            throw new ArgumentException($"{name}: the radius epsilon must be 0 or above, got {epsilon}.", nameof(epsilon));
        if (!(low < high))
            throw new ArgumentException($"{name}: low must be below high, got {low} and {high}.", nameof(low));
    }
}
