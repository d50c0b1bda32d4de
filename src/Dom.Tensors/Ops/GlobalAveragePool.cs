using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[n, c] = sum over the pixels p of x[n, p, c] / Pixels; x [Batch, Pixels, Channels], y [Batch, Channels].</summary>
public readonly record struct GlobalAveragePoolForward(View X, View Y, int Batch, int Pixels, int Channels) : IKernelCall;

/// <summary>dx[n, p, c] = dy[n, c] / Pixels.</summary>
public readonly record struct GlobalAveragePoolBackward(View Dy, View Dx, int Batch, int Pixels, int Channels) : IKernelCall;

/// <summary>The mean of every channel of an image.</summary>
public static class GlobalAveragePool
{
    /// <summary>x [N, H, W, C] -> y [N, C].</summary>
    /// <exception cref="ShapeException">x is not [N, H, W, C], or has no pixels.</exception>
    public static Tensor Apply(Tensor x)
    {
        if (x.Shape.Rank != 4 || x.Shape[1] * x.Shape[2] == 0)
            throw new ShapeException($"global average pool: x must be [N, H, W, C] with at least one pixel, got {x.Shape}.");
        int batch = x.Shape[0], pixels = x.Shape[1] * x.Shape[2], channels = x.Shape[3];
        var y = Tensor.Empty(Shape.Of(batch, channels), x.Type, x.Backend, "global average pool");
        x.Backend.Run(new GlobalAveragePoolForward(x.Read, y.Write, batch, pixels, channels));
        if (Tape.Tracks(x))
            Tape.Record(new GlobalAveragePoolOp(y, x, pixels));
        return y;
    }

    private sealed class GlobalAveragePoolOp(Tensor y, Tensor x, int pixels) : Op("global average pool", y, x)
    {
        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = gradients.Allocate(Input(0));
            Backend.Run(new GlobalAveragePoolBackward(dy.Read, dx.Write, dy.Shape[0], pixels, dy.Shape[1]));
            gradients.AddOwned(Input(0), dx);
        }
    }
}
