using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// y[n, p, q, c] = sum over the window of x[n, h, w, c] / (KernelHeight KernelWidth). Padding counts as zeros and the divisor is always the whole
/// window: PyTorch's default, <c>count_include_pad=True</c>.
/// </summary>
public readonly record struct AvgPool2dForward(View X, View Y, Pool2dSizes Sizes) : IKernelCall;

/// <summary>dx[n, h, w, c] = sum over the windows (p, q) that hold the pixel of dy[n, p, q, c] / (KernelHeight KernelWidth).</summary>
public readonly record struct AvgPool2dBackward(View Dy, View Dx, Pool2dSizes Sizes) : IKernelCall;

/// <summary>Average pooling.</summary>
public static class AvgPool2d
{
    /// <summary>x [N, H, W, C] -> y [N, (H + 2 padding - kernelHeight) / stride + 1, ..., C].</summary>
    /// <exception cref="ShapeException">x is not [N, H, W, C], the window does not fit, or the padding is more than half the window.</exception>
    public static Tensor Apply(Tensor x, int kernelHeight, int kernelWidth, int stride, int padding = 0)
    {
        var sizes = Pool2dSizes.Of("avgpool2d", x, kernelHeight, kernelWidth, stride, padding);
        var y = Tensor.Empty(sizes.OutputShape, x.Type, x.Backend, "avgpool2d");
        x.Backend.Run(new AvgPool2dForward(x.Read, y.Write, sizes));
        if (Tape.Tracks(x))
            Tape.Record(new AvgPool2dOp(y, x, sizes));
        return y;
    }

    /// <summary>A square window that is moved by its own size.</summary>
    /// <exception cref="ShapeException">x is not [N, H, W, C], or the window does not fit.</exception>
    public static Tensor Apply(Tensor x, int kernel) => Apply(x, kernel, kernel, kernel);

    private sealed class AvgPool2dOp(Tensor y, Tensor x, Pool2dSizes sizes) : Op("avgpool2d", y, x)
    {
        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = gradients.Allocate(Input(0));
            Backend.Run(new AvgPool2dBackward(dy.Read, dx.Write, sizes));
            gradients.AddOwned(Input(0), dx);
        }
    }
}
