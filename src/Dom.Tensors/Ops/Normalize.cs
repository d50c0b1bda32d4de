using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[r, c] = (x[r, c] - mean[c]) / std[c]; x, y [Rows, Channels], mean and std [Channels].</summary>
public readonly record struct NormalizeForward(View X, View Mean, View Std, View Y, int Rows, int Channels) : IKernelCall;

/// <summary>dx[r, c] = dy[r, c] / std[c].</summary>
public readonly record struct NormalizeBackward(View Dy, View Std, View Dx, int Rows, int Channels) : IKernelCall;

/// <summary>
/// Centers and scales every channel by constants, usually those of the data set. It is an operator, inside the model, because attacks live
/// in pixel space 0..1 and need the gradient there.
/// </summary>
public static class Normalize
{
    /// <summary>(x - mean) / std, channel by channel.</summary>
    /// <param name="x">[..., C], images in 0..1.</param>
    /// <param name="mean">[C].</param>
    /// <param name="std">[C], not 0.</param>
    /// <exception cref="ShapeException">The channels do not agree.</exception>
    public static Tensor Apply(Tensor x, Tensor mean, Tensor std)
    {
        int channels = x.Shape.Rank == 0 ? 0 : x.Shape[-1];
        if (channels == 0 || mean.Shape != Shape.Of(channels) || std.Shape != Shape.Of(channels))
            throw new ShapeException(
                $"normalize: x {x.Shape} has {channels} channels, mean is {mean.Shape} and std {std.Shape}; both must be [{channels}].");
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "normalize");
        x.Backend.Run(new NormalizeForward(x.Read, mean.Read, std.Read, y.Write, x.Count / channels, channels));
        if (Tape.Tracks(x))
            Tape.Record(new NormalizeOp(y, x, std));
        return y;
    }

    private sealed class NormalizeOp : Op
    {
        private readonly Tensor _std;

        public NormalizeOp(Tensor y, Tensor x, Tensor std) : base("normalize", y, x) => _std = Save(std);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = gradients.Allocate(Input(0));
            Backend.Run(new NormalizeBackward(dy.Read, _std.Read, dx.Write, dy.Count / _std.Count, _std.Count));
            gradients.AddOwned(Input(0), dx);
        }
    }
}
