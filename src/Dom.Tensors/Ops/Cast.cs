using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[i] = x[i] in the type of y: f32, bf16 or f64; x may hold integers too (i32, u8).</summary>
/// <remarks>
/// Rounds to the nearest, ties to even. A NaN stays a NaN, infinities stay, what is too large for the type becomes an infinity.
/// f64 is converted by the reference only, and to bf16 by way of f32.
/// </remarks>
public readonly record struct Cast(View X, View Y) : IKernelCall
{
    /// <summary>x with elements of type <paramref name="type"/>; x itself if it has that type already.</summary>
    /// <remarks>Differentiable between real types: the gradient is cast back.</remarks>
    /// <exception cref="ShapeException"><paramref name="type"/> is an integer type.</exception>
    public static Tensor Apply(Tensor x, DType type)
    {
        if (x.Type == type)
            return x;
        if (!type.IsFloat())
            throw new ShapeException($"cast: {x} cannot become {type.ToString().ToLowerInvariant()}; a cast goes to f32, bf16 or f64.");
        var y = Tensor.Empty(x.Shape, type, x.Backend, "cast");
        x.Backend.Run(new Cast(x.Read, y.Write));
        if (x.Type.IsFloat() && Tape.Tracks(x))
            Tape.Record(new CastOp(y, x));
        return y;
    }

    private sealed class CastOp(Tensor y, Tensor x) : Op("cast", y, x)
    {
        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = gradients.Allocate(Input(0));
            Backend.Run(new Cast(dy.Read, dx.Write));
            gradients.AddOwned(Input(0), dx);
        }
    }
}
