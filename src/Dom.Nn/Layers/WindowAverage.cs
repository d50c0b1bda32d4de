using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Nn.Layers;

/// <summary>The mean of every channel in each window of an image; windows lie side by side.</summary>
internal static class WindowAverage
{
    /// <summary>x [N, H, W, C] -> y [N, H/size W/size C], windows in row-major order with their channels innermost.</summary>
    /// <remarks>
    /// Means of columns, then of rows: what lies side by side in a row is contiguous, and so is what lies in a row of windows, so that both are global
    /// averages under another shape, and no element moves.
    /// </remarks>
    /// <param name="x">Images whose sides are multiples of <paramref name="size"/>.</param>
    /// <param name="size">Side of a window.</param>
    /// <exception cref="ShapeException">They are not.</exception>
    public static Tensor Apply(Tensor x, int size)
    {
        if (x.Shape.Rank != 4 || x.Shape[1] % size != 0 || x.Shape[2] % size != 0)
            throw new ShapeException($"window average: x must be [N, H, W, C] with sides that are multiples of {size}, got {x.Shape}.");
        int batch = x.Shape[0], rows = x.Shape[1] / size, columns = x.Shape[2] / size, channels = x.Shape[3];
        var means = GlobalAveragePool.Apply(Reshape.Apply(x, Shape.Of(batch * rows * size * columns, 1, size, channels)));
        means = GlobalAveragePool.Apply(Reshape.Apply(means, Shape.Of(batch * rows, size, 1, columns * channels)));
        return Reshape.Apply(means, Shape.Of(batch, rows * columns * channels));
    }
}
