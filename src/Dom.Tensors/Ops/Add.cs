using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[i] = a[i] + b[i].</summary>
public readonly record struct AddForward(View A, View B, View Y) : IKernelCall;

/// <summary>y[i] += x[i].</summary>
public readonly record struct Accumulate(View X, View Y) : IKernelCall;

/// <summary>Elementwise sum: the residual connection.</summary>
public static class Add
{
    /// <summary>a + b.</summary>
    /// <exception cref="ShapeException">The shapes or types differ.</exception>
    public static Tensor Apply(Tensor a, Tensor b)
    {
        if (a.Shape != b.Shape || a.Type != b.Type)
            throw new ShapeException($"add: {a} and {b} must have one shape and type.");
        var y = Tensor.Empty(a.Shape, a.Type, a.Backend, "add");
        a.Backend.Run(new AddForward(a.Read, b.Read, y.Write));
        if (Tape.Tracks(a) || Tape.Tracks(b))
            Tape.Record(new AddOp(y, a, b));
        return y;
    }

    private sealed class AddOp(Tensor y, Tensor a, Tensor b) : Op("add", y, a, b)
    {
        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            if (Needs(0))
                gradients.Add(Input(0), dy);
            if (Needs(1))
                gradients.Add(Input(1), dy);
        }
    }
}
