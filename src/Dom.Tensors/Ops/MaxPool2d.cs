using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[n, p, q, c] = max over the window of x[n, h, w, c]; Indices[n, p, q, c] = h Width + w of the pixel that won, i32.</summary>
/// <remarks>
/// Padding never wins. Of equal values the first in row-major order wins. A NaN beats every number, and of several NaN the last one wins:
/// PyTorch's rules.
/// </remarks>
public readonly record struct MaxPool2dForward(View X, View Y, View Indices, Pool2dSizes Sizes) : IKernelCall;

/// <summary>dx[n, h, w, c] = sum over the windows (p, q) whose winner is this pixel of dy[n, p, q, c].</summary>
public readonly record struct MaxPool2dBackward(View Dy, View Indices, View Dx, Pool2dSizes Sizes) : IKernelCall;

/// <summary>Maximum pooling.</summary>
public static class MaxPool2d
{
    /// <summary>x [N, H, W, C] -> y [N, (H + 2 padding - kernelHeight) / stride + 1, ..., C].</summary>
    /// <exception cref="ShapeException">x is not [N, H, W, C], the window does not fit, or the padding is more than half the window.</exception>
    public static Tensor Apply(Tensor x, int kernelHeight, int kernelWidth, int stride, int padding = 0)
    {
        var sizes = Pool2dSizes.Of("maxpool2d", x, kernelHeight, kernelWidth, stride, padding);
        var y = Tensor.Empty(sizes.OutputShape, x.Type, x.Backend, "maxpool2d");
        var indices = Tensor.Empty(sizes.OutputShape, DType.I32, x.Backend, "maxpool2d");
        x.Backend.Run(new MaxPool2dForward(x.Read, y.Write, indices.Write, sizes));
        if (Tape.Tracks(x))
            Tape.Record(new MaxPool2dOp(y, x, indices, sizes));
        return y;
    }

    /// <summary>A square window that is moved by its own size.</summary>
    /// <exception cref="ShapeException">x is not [N, H, W, C], or the window does not fit.</exception>
    public static Tensor Apply(Tensor x, int kernel) => Apply(x, kernel, kernel, kernel);

    private sealed class MaxPool2dOp : Op
    {
        private readonly Tensor _indices;
        private readonly Pool2dSizes _sizes;

        public MaxPool2dOp(Tensor y, Tensor x, Tensor indices, Pool2dSizes sizes) : base("maxpool2d", y, x) =>
            (_indices, _sizes) = (Save(indices), sizes);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = gradients.Allocate(Input(0));
            Backend.Run(new MaxPool2dBackward(dy.Read, _indices.Read, dx.Write, _sizes));
            gradients.AddOwned(Input(0), dx);
        }
    }
}
