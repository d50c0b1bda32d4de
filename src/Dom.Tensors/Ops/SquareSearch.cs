using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>Where the attack Square starts: y = clamp(clean + Epsilon s, Low, High), with a random sign s for each row, column and channel: vertical stripes.</summary>
/// <remarks>
/// Clean, Y [Rows, Height, Width, Channels], SampleIds [Rows] i32. The sign of column w and channel c is that of number w Channels + c of the stream for the row's sample:
/// + where it is at least 1/2.
/// </remarks>
public readonly record struct SquareStripes(
    View Clean, View SampleIds, View Y, RandomStream Stream, int Rows, int Height, int Width, int Channels, float Epsilon, float Low, float High) : IKernelCall;

/// <summary>
/// What the attack Square tries: within a window, the same one in all rows, y = clamp(clamp(x + 2 Epsilon s, clean - Epsilon, clean + Epsilon), Low, High) with s = Signs[c];
/// elsewhere y = x.
/// </summary>
/// <remarks>
/// Clean, X, Y [Rows, Height, Width, Channels], Signs [Channels]; the window covers Side rows from Top on and Side columns from Left on and lies inside the image (not checked
/// by kernels). With x in the ball and signs of +1 and -1 every pixel in the window ends on the ball's surface or on the box. Y may not be the memory of X.
/// </remarks>
public readonly record struct SquareWindow(
    View Clean, View X, View Signs, View Y, int Rows, int Height, int Width, int Channels, int Top, int Left, int Side, float Epsilon, float Low, float High) : IKernelCall;

/// <summary>The moves of the random search Square (Andriushchenko et al., ECCV 2020) in the maximum norm.</summary>
/// <remarks>Pixels and radius are in the unit of the images, 0..1, and f32. Nothing is recorded on a tape.</remarks>
public static class SquareSearch
{
    /// <summary>Every column of every channel moved to one side of the ball by chance; a new tensor.</summary>
    /// <param name="clean">Images [N, H, W, C] f32.</param>
    /// <param name="sampleIds">[N] i32: what an image gets depends on its id, not on its place in the batch.</param>
    /// <param name="stream">Where the signs come from; each row adds its sample id.</param>
    /// <param name="epsilon">Radius of the ball, 0 or above.</param>
    /// <param name="low">Smallest pixel.</param>
    /// <param name="high">Largest pixel.</param>
    /// <exception cref="ShapeException">The images are not f32 [N, H, W, C], or there is not one id a row.</exception>
    /// <exception cref="ArgumentException">The radius is negative, or low is not below high.</exception>
    public static Tensor Stripes(Tensor clean, Tensor sampleIds, RandomStream stream, float epsilon, float low = 0, float high = 1)
    {
        Check("square stripes", clean, epsilon, low, high);
        Noise.CheckedRows("square stripes", sampleIds, clean.Shape);
        var (rows, height, width, channels) = (clean.Shape[0], clean.Shape[1], clean.Shape[2], clean.Shape[3]);
        var y = Tensor.Empty(clean.Shape, clean.Type, clean.Backend, "square stripes");
        clean.Backend.Run(new SquareStripes(clean.Read, sampleIds.Read, y.Write, stream, rows, height, width, channels, epsilon, low, high));
        return y;
    }

    /// <summary>A square window of all images moved to one side of the ball, for each channel to its own; a new tensor.</summary>
    /// <param name="clean">The centres of the balls [N, H, W, C] f32.</param>
    /// <param name="x">Images of that shape, in the ball and in the box.</param>
    /// <param name="signs">[C] f32, +1 or -1.</param>
    /// <param name="top">First row of the window.</param>
    /// <param name="left">First column of the window.</param>
    /// <param name="side">Rows and columns of the window, at least 1.</param>
    /// <param name="epsilon">Radius of the ball, 0 or above.</param>
    /// <param name="low">Smallest pixel.</param>
    /// <param name="high">Largest pixel.</param>
    /// <exception cref="ShapeException">The shapes or types do not fit, or the window is not inside the images.</exception>
    /// <exception cref="ArgumentException">The radius is negative, or low is not below high.</exception>
    public static Tensor Window(
        Tensor clean, Tensor x, Tensor signs, int top, int left, int side, float epsilon, float low = 0, float high = 1)
    {
        Check("square window", clean, epsilon, low, high);
        var (rows, height, width, channels) = (clean.Shape[0], clean.Shape[1], clean.Shape[2], clean.Shape[3]);
        if (x.Shape != clean.Shape || x.Type != clean.Type)
            throw new ShapeException($"square window: clean is {clean}, x {x}; shape and type must agree.");
        if (signs.Shape != Shape.Of(channels) || signs.Type != clean.Type)
            throw new ShapeException($"square window: {clean.Shape} needs signs f32 [{channels}], one for each channel; got {signs}.");
        if (side < 1 || top < 0 || left < 0 || top > height - side || left > width - side)
            throw new ShapeException($"square window: side {side} at row {top}, column {left} is not inside images of {height}x{width}.");
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "square window");
        x.Backend.Run(new SquareWindow(clean.Read, x.Read, signs.Read, y.Write, rows, height, width, channels, top, left, side, epsilon, low, high));
        return y;
    }

    private static void Check(string name, Tensor clean, float epsilon, float low, float high)
    {
        if (clean.Shape.Rank != 4 || clean.Type.Accumulator() != clean.Type)
            throw new ShapeException($"{name}: images must be f32 [N, H, W, C], got {clean}.");
        if (!(epsilon >= 0 && float.IsFinite(epsilon)))
            throw new ArgumentException($"{name}: the radius epsilon must be 0 or above, got {epsilon}.", nameof(epsilon));
        if (!(low < high))
            throw new ArgumentException($"{name}: low must be below high, got {low} and {high}.", nameof(low));
    }
}
