using Dom.Tensors.Autodiff;

namespace Dom.Tensors.Ops;

/// <summary>The same elements under another shape.</summary>
public static class Reshape
{
    /// <summary>x under <paramref name="shape"/>; no element moves.</summary>
    /// <exception cref="ShapeException">The number of elements differs.</exception>
    public static Tensor Apply(Tensor x, Shape shape)
    {
        var y = x.As(shape);
        if (Tape.Tracks(x))
            Tape.Record(new ReshapeOp(y, x));
        return y;
    }

    private sealed class ReshapeOp(Tensor y, Tensor x) : Op("reshape", y, x)
    {
        private readonly Shape _shape = x.Shape;

        protected internal override void Backward(Tensor dy, Gradients gradients) => gradients.Add(Input(0), dy.As(_shape));
    }
}
