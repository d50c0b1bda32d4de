using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[n, h, w, c] = x[n, h + margin, w + margin, c]; x [Batch, Height, Width, Channels], y smaller by 2 margins along both axes.</summary>
public readonly record struct CenterCropForward(View X, View Y, int Batch, int Height, int Width, int Channels, int Margin) : IKernelCall;

/// <summary>dx = dy inside the margin, 0 in the margin; the sizes are those of x.</summary>
public readonly record struct CenterCropBackward(View Dy, View Dx, int Batch, int Height, int Width, int Channels, int Margin) : IKernelCall;

/// <summary>Cuts the same margin off all four sides of an image.</summary>
public static class CenterCrop
{
    /// <summary>[N, H, W, C] -> [N, H - 2 margin, W - 2 margin, C].</summary>
    /// <exception cref="ShapeException">x is not an image, or nothing would be left.</exception>
    public static Tensor Apply(Tensor x, int margin)
    {
        if (x.Shape.Rank != 4)
            throw new ShapeException($"centercrop: x must be [N, H, W, C], got {x.Shape}.");
        int height = x.Shape[1] - 2 * margin, width = x.Shape[2] - 2 * margin;
        if (margin < 0 || height < 1 || width < 1)
            throw new ShapeException($"centercrop: a margin of {margin} leaves nothing of {x.Shape}.");
        var y = Tensor.Empty(Shape.Of(x.Shape[0], height, width, x.Shape[3]), x.Type, x.Backend, "centercrop");
        x.Backend.Run(new CenterCropForward(x.Read, y.Write, x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3], margin));
        if (Tape.Tracks(x))
            Tape.Record(new CenterCropOp(y, x, margin));
        return y;
    }

    private sealed class CenterCropOp(Tensor y, Tensor x, int margin) : Op("centercrop", y, x)
    {
        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = gradients.Allocate(Input(0));
            var shape = Input(0).Shape;
            Backend.Run(new CenterCropBackward(dy.Read, dx.Write, shape[0], shape[1], shape[2], shape[3], margin));
            gradients.AddOwned(Input(0), dx);
        }
    }
}
