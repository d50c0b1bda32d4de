using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// An iteration of FAB, the fast adaptive boundary attack, in the maximum norm: towards the hyperplane in which a linear network would change its mind.
/// </summary>
/// <remarks>
/// Clean, X, Gradient, Y [Rows, RowLength]; Differences, Distances [Rows]. For each row let d = Differences[n] be z_t - z_y at x, w its gradient, and H the hyperplane
/// {v: &lt;w, v&gt; = &lt;w, x&gt; - d}. d1 is the smallest step in the maximum norm from x to H that stays in the box Low .. High, d2 the one from the clean image:
/// y = clamp((1 - q)(x + Overshoot d1) + q (clean + Overshoot d2), Low, High) with q = min(a1 / (a1 + a2), MaximumPull), where a1 and a2 are the maximum norms
/// of d1 and d2, at least 1e-8. Distances[n] is the maximum norm of y - clean. All sums are in f64.
/// <para>
/// The step from a point p with r = &lt;w, p&gt; - &lt;w, x&gt; + d left to the hyperplane: a coordinate with w_i != 0 moves in direction -sign(r w_i), in which it has room
/// c_i up to the box, by min(lambda, c_i), where f(lambda) = sum |w_i| min(lambda, c_i) = |r|; where that has no solution, all go as far as they can.
/// Backends find lambda by Newton's method from 0: f is concave, increasing and linear between the c_i, so its tangent lies above it and no iterate is beyond
/// the solution. Each iterate either finds the same coordinates unbounded (c_i &gt; lambda) as the one before, and then f is linear between the two and the iterate is the solution,
/// or fewer: it ends after at most RowLength + 1 iterations, without a tolerance and without sorting. It takes three to seven walks over the row.
/// </para>
/// A row in which d, or the r of the clean image, is not finite stays where it is. Y may not be the memory of X. F. Croce and M. Hein, "Minimally distorted
/// adversarial examples with a fast adaptive boundary attack", ICML 2020.
/// </remarks>
public readonly record struct FabStep(
    View Clean, View X, View Gradient, View Differences, View Y, View Distances, int Rows, int RowLength, float Overshoot, float MaximumPull, float Low, float High) : IKernelCall;

/// <summary>Steps towards a linearized decision boundary: the inner loop of the attack FAB.</summary>
/// <remarks>Pixels are in the unit of the images, 0..1, and f32. Nothing is recorded on a tape.</remarks>
public static class BoundaryStep
{
    /// <summary>One iteration of FAB, see <see cref="FabStep"/>; new tensors.</summary>
    /// <param name="clean">The clean images [N, ...] f32, inside the box.</param>
    /// <param name="x">Where the step starts, of that shape, inside the box.</param>
    /// <param name="gradient">Gradient of z_t - z_y with respect to x, of that shape.</param>
    /// <param name="differences">z_t - z_y at x [N], f32; negative where the label's logit is the larger.</param>
    /// <param name="overshoot">How far the step goes beyond the hyperplane: 1 ends on it. FAB's eta.</param>
    /// <param name="maximumPull">The largest weight of the step from the clean image, 0..1. FAB's alpha_max.</param>
    /// <param name="low">Smallest pixel.</param>
    /// <param name="high">Largest pixel.</param>
    /// <returns>The images after the step [N, ...], and their distance from the clean ones in the maximum norm [N].</returns>
    /// <exception cref="ShapeException">The shapes or types differ, are not f32, or there are no rows.</exception>
    /// <exception cref="ArgumentException">The overshoot is negative, the pull is not within 0..1, or low is not below high.</exception>
    public static (Tensor Images, Tensor Distances) Fab(
        Tensor clean, Tensor x, Tensor gradient, Tensor differences, float overshoot = 1.05f, float maximumPull = 0.1f, float low = 0, float high = 1)
    {
        if (clean.Shape.Rank < 2 || clean.Type.Accumulator() != clean.Type)
            throw new ShapeException($"fab step: images must be f32 [N, ...], a row for each sample, got {clean}.");
        if (x.Shape != clean.Shape || gradient.Shape != clean.Shape || x.Type != clean.Type || gradient.Type != clean.Type)
            throw new ShapeException($"fab step: clean is {clean}, x {x}, the gradient {gradient}; shape and type must agree.");
        int rows = clean.Shape[0];
        if (differences.Shape != Shape.Of(rows) || differences.Type != clean.Type)
            throw new ShapeException($"fab step: {clean.Shape} needs differences f32 [{rows}], one for each row; got {differences}.");
        if (!(overshoot >= 0 && float.IsFinite(overshoot)))
            throw new ArgumentException($"fab step: the overshoot must be 0 or above, got {overshoot}.", nameof(overshoot));
        if (!(maximumPull is >= 0 and <= 1))
            throw new ArgumentException($"fab step: the pull to the clean image must be within 0..1, got {maximumPull}.", nameof(maximumPull));
        if (!(low < high))
            throw new ArgumentException($"fab step: low must be below high, got {low} and {high}.", nameof(low));
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "fab step");
        var distances = Tensor.Empty(differences.Shape, x.Type, x.Backend, "fab step");
        x.Backend.Run(new FabStep(
            clean.Read, x.Read, gradient.Read, differences.Read, y.Write, distances.Write, rows, rows == 0 ? 0 : x.Count / rows, overshoot, maximumPull, low, high));
        return (y, distances);
    }
}
