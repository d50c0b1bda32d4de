namespace Dom.Tensors.Ops;

/// <summary>
/// Sizes of a pooling: x [Batch, Height, Width, Channels], y [Batch, OutputHeight, OutputWidth, Channels]; windows that would leave the
/// padded image are dropped (floor, PyTorch's default).
/// </summary>
public readonly record struct Pool2dSizes(
    int Batch, int Height, int Width, int Channels, int KernelHeight, int KernelWidth, int Stride, int Padding)
{
    /// <summary>Rows of y.</summary>
    public int OutputHeight => (Height + 2 * Padding - KernelHeight) / Stride + 1;

    /// <summary>Columns of y.</summary>
    public int OutputWidth => (Width + 2 * Padding - KernelWidth) / Stride + 1;

    /// <summary>Shape of y.</summary>
    public Shape OutputShape => Shape.Of(Batch, OutputHeight, OutputWidth, Channels);

    /// <summary>First row of x under the windows of output row <paramref name="p"/>, the padding left out.</summary>
    public int FirstRow(int p) => Math.Max(0, p * Stride - Padding);

    /// <summary>One past the last row of x under the windows of output row <paramref name="p"/>.</summary>
    public int EndRow(int p) => Math.Min(Height, p * Stride - Padding + KernelHeight);

    /// <summary>First column of x under the windows of output column <paramref name="q"/>.</summary>
    public int FirstColumn(int q) => Math.Max(0, q * Stride - Padding);

    /// <summary>One past the last column of x under the windows of output column <paramref name="q"/>.</summary>
    public int EndColumn(int q) => Math.Min(Width, q * Stride - Padding + KernelWidth);

    /// <summary>First output row whose windows hold row <paramref name="h"/> of x.</summary>
    public int FirstOutputRow(int h) => FirstWindow(h, KernelHeight);

    /// <summary>One past the last output row whose windows hold row <paramref name="h"/> of x.</summary>
    public int EndOutputRow(int h) => Math.Min(OutputHeight, (h + Padding) / Stride + 1);

    /// <summary>First output column whose windows hold column <paramref name="w"/> of x.</summary>
    public int FirstOutputColumn(int w) => FirstWindow(w, KernelWidth);

    /// <summary>One past the last output column whose windows hold column <paramref name="w"/> of x.</summary>
    public int EndOutputColumn(int w) => Math.Min(OutputWidth, (w + Padding) / Stride + 1);

    /// <summary>The sizes for x, checked.</summary>
    /// <exception cref="ShapeException">x is not [N, H, W, C], or the window does not fit.</exception>
    internal static Pool2dSizes Of(string name, Tensor x, int kernelHeight, int kernelWidth, int stride, int padding)
    {
        if (x.Shape.Rank != 4)
            throw new ShapeException($"{name}: x must be [N, H, W, C], got {x.Shape}.");
        if (kernelHeight < 1 || kernelWidth < 1 || stride < 1)
            throw new ShapeException($"{name}: the window and the stride must be at least 1, got {kernelHeight}x{kernelWidth} and {stride}.");
        if (padding < 0 || 2 * padding > Math.Min(kernelHeight, kernelWidth))
            throw new ShapeException(
                $"{name}: the padding must be 0 to half the window, so that every window holds a pixel; got {padding} for {kernelHeight}x{kernelWidth}.");
        var sizes = new Pool2dSizes(x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3], kernelHeight, kernelWidth, stride, padding);
        if (sizes.Height + 2 * padding < kernelHeight || sizes.Width + 2 * padding < kernelWidth)
            throw new ShapeException($"{name}: a window of {kernelHeight}x{kernelWidth} is larger than x {x.Shape} padded by {padding}.");
        return sizes;
    }

    // The smallest p with p stride - padding + kernel > position.
    private int FirstWindow(int position, int kernel)
    {
        int beyond = position + Padding - kernel;
        return beyond < 0 ? 0 : beyond / Stride + 1;
    }
}
