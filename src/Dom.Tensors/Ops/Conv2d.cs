using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// Sizes of a convolution: x [Batch, Height, Width, Inputs], weight [Outputs, KernelHeight, KernelWidth, Inputs],
/// y [Batch, OutputHeight, OutputWidth, Outputs]; the same padding of zeros on all sides, the same stride along both axes.
/// </summary>
public readonly record struct Conv2dSizes(
    int Batch, int Height, int Width, int Inputs, int Outputs, int KernelHeight, int KernelWidth, int Stride, int Padding)
{
    /// <summary>Rows of y.</summary>
    public int OutputHeight => (Height + 2 * Padding - KernelHeight) / Stride + 1;

    /// <summary>Columns of y.</summary>
    public int OutputWidth => (Width + 2 * Padding - KernelWidth) / Stride + 1;

    /// <summary>Multiplications and additions of one pass, padding taps counted.</summary>
    public double Operations => 2.0 * Batch * OutputHeight * OutputWidth * Outputs * KernelHeight * KernelWidth * Inputs;
}

/// <summary>y[n, p, q, k] = sum over r, s, c of x[n, p stride + r - padding, q stride + s - padding, c] weight[k, r, s, c].</summary>
public readonly record struct Conv2dForward(View X, View Weight, View Y, Conv2dSizes Sizes) : IKernelCall;

/// <summary>dx[n, h, w, c] = sum over the outputs (p, q) and taps (r, s) that read x[n, h, w, c], and over k, of dy[n, p, q, k] weight[k, r, s, c].</summary>
public readonly record struct Conv2dInputGradient(View Dy, View Weight, View Dx, Conv2dSizes Sizes) : IKernelCall;

/// <summary>dweight[k, r, s, c] = sum over n, p, q of dy[n, p, q, k] x[n, p stride + r - padding, q stride + s - padding, c].</summary>
public readonly record struct Conv2dWeightGradient(View X, View Dy, View DWeight, Conv2dSizes Sizes) : IKernelCall;

/// <summary>Two-dimensional convolution (cross-correlation, as in PyTorch) without a bias; groups and dilation are 1.</summary>
public static class Conv2d
{
    /// <summary>x [N, H, W, C], weight [K, R, S, C] -> y [N, (H + 2 padding - R) / stride + 1, ..., K].</summary>
    /// <exception cref="ShapeException">
    /// The shapes or types do not fit, the stride is below 1, or the kernel is larger than the padded image.
    /// </exception>
    public static Tensor Apply(Tensor x, Tensor weight, int stride = 1, int padding = 0) => Apply(x, weight, stride, padding, rounded: null);

    /// <summary>The same in mixed precision: the kernels read a rounded copy of the weight, the gradient is the weight's own.</summary>
    /// <remarks>
    /// The weight gradient is accumulated in f32 and written in the type of <paramref name="weight"/>: to an f32 master weight it comes without the rounding
    /// that it would have behind a cast.
    /// </remarks>
    /// <param name="x">Images [N, H, W, C]; y has their type.</param>
    /// <param name="weight">The master weight [K, R, S, C].</param>
    /// <param name="stride">Step along both axes.</param>
    /// <param name="padding">Zeros on all sides.</param>
    /// <param name="rounded">The weight in the type of x; null where it has that type itself.</param>
    /// <exception cref="ShapeException">
    /// The shapes or types do not fit, the stride is below 1, or the kernel is larger than the padded image.
    /// </exception>
    public static Tensor Apply(Tensor x, Tensor weight, int stride, int padding, Tensor? rounded)
    {
        var factor = rounded ?? weight;
        if (x.Shape.Rank != 4 || weight.Shape.Rank != 4)
            throw new ShapeException($"conv2d: x must be [N, H, W, C] and weight [K, R, S, C], got {x.Shape} and {weight.Shape}.");
        if (x.Shape[3] != weight.Shape[3])
            throw new ShapeException($"conv2d: weight {weight.Shape} expects {weight.Shape[3]} input channels, x {x.Shape} has {x.Shape[3]}.");
        if (factor.Shape != weight.Shape)
            throw new ShapeException($"conv2d: the rounded weight {factor.Shape} must have the shape of the weight, {weight.Shape}.");
        if (factor.Type != x.Type)
            throw new ShapeException($"conv2d: x and the weight must be of one type, got {x} and {factor}; cast one of them, or give the weight rounded to the type of x.");
        if (stride < 1 || padding < 0)
            throw new ShapeException($"conv2d: the stride must be at least 1 and the padding at least 0, got {stride} and {padding}.");
        var sizes = new Conv2dSizes(
            x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3], weight.Shape[0], weight.Shape[1], weight.Shape[2], stride, padding);
        if (sizes.Height + 2 * padding < sizes.KernelHeight || sizes.Width + 2 * padding < sizes.KernelWidth)
            throw new ShapeException($"conv2d: the kernel of weight {weight.Shape} is larger than x {x.Shape} padded by {padding}.");
        var y = Tensor.Empty(
            Shape.Of(sizes.Batch, sizes.OutputHeight, sizes.OutputWidth, sizes.Outputs), x.Type, x.Backend, "conv2d");
        x.Backend.Run(new Conv2dForward(x.Read, factor.Read, y.Write, sizes));
        if (Tape.Tracks(x) || Tape.Tracks(weight))
            Tape.Record(new Conv2dOp(y, x, weight, factor, sizes));
        return y;
    }

    private sealed class Conv2dOp : Op
    {
        private readonly Tensor? _x, _factor;
        private readonly Conv2dSizes _sizes;

        public Conv2dOp(Tensor y, Tensor x, Tensor weight, Tensor factor, Conv2dSizes sizes) : base("conv2d", y, x, weight)
        {
            _sizes = sizes;
            _factor = Needs(0) ? Save(factor) : null;
            _x = Needs(1) ? Save(x) : null;
        }

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            if (_x is not null)
            {
                var dweight = gradients.Allocate(Input(1));
                Backend.Run(new Conv2dWeightGradient(_x.Read, dy.Read, dweight.Write, _sizes));
                gradients.AddOwned(Input(1), dweight);
            }
            if (_factor is not null)
            {
                var dx = gradients.Allocate(Input(0));
                Backend.Run(new Conv2dInputGradient(dy.Read, _factor.Read, dx.Write, _sizes));
                gradients.AddOwned(Input(0), dx);
            }
        }
    }
}
