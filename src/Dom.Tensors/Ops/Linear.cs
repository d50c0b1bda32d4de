using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[r, c] = x[r, c] + bias[c]; x and y [Rows, Columns], bias [Columns].</summary>
public readonly record struct AddBias(View X, View Bias, View Y, int Rows, int Columns) : IKernelCall;

/// <summary>dbias[c] = sum over r of dy[r, c]; dy [Rows, Columns], dbias [Columns].</summary>
public readonly record struct BiasGradient(View Dy, View DBias, int Rows, int Columns) : IKernelCall;

/// <summary>The fully connected layer, y = x weight^T + bias, with PyTorch's layout of the weight.</summary>
public static class Linear
{
    /// <summary>x [N, In], weight [Out, In], bias [Out] or null -> y [N, Out]. Beside x and weight in bf16 the bias is f32.</summary>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias = null)
    {
        if (x.Shape.Rank != 2 || weight.Shape.Rank != 2)
            throw new ShapeException($"linear: x must be [N, In] and weight [Out, In], got {x.Shape} and {weight.Shape}.");
        if (x.Shape[1] != weight.Shape[1])
            throw new ShapeException($"linear: weight {weight.Shape} expects {weight.Shape[1]} inputs, x {x.Shape} has {x.Shape[1]}.");
        int rows = x.Shape[0], inputs = x.Shape[1], outputs = weight.Shape[0];
        if (bias is not null && bias.Shape != Shape.Of(outputs))
            throw new ShapeException($"linear: weight {weight.Shape} has {outputs} outputs, bias is {bias.Shape}; it must be [{outputs}].");
        var y = Tensor.Empty(Shape.Of(rows, outputs), x.Type, x.Backend, "linear");
        if (bias is null)
        {
            x.Backend.Run(new Gemm(x.Read, weight.Read, y.Write, rows, outputs, inputs, 0, 1));
        }
        else
        {
            using var product = Tensor.Persistent(y.Shape, y.Type, y.Backend, "linear");
            x.Backend.Run(new Gemm(x.Read, weight.Read, product.Write, rows, outputs, inputs, 0, 1));
            x.Backend.Run(new AddBias(product.Read, bias.Read, y.Write, rows, outputs));
        }
        if (Tape.Tracks(x) || Tape.Tracks(weight) || (bias is not null && Tape.Tracks(bias)))
            Tape.Record(new LinearOp(y, x, weight, bias));
        return y;
    }

    private sealed class LinearOp : Op
    {
        private readonly Tensor? _x, _weight;
        private readonly bool _needsBias;
        private readonly int _rows, _inputs, _outputs;

        public LinearOp(Tensor y, Tensor x, Tensor weight, Tensor? bias)
            : base("linear", y, bias is null ? [x, weight] : [x, weight, bias])
        {
            (_rows, _inputs, _outputs) = (x.Shape[0], x.Shape[1], weight.Shape[0]);
            _weight = Needs(0) ? Save(weight) : null;
            _x = Needs(1) ? Save(x) : null;
            _needsBias = bias is not null && Needs(2);
        }

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            if (_needsBias)
            {
                var dbias = gradients.Allocate(Input(2));
                Backend.Run(new BiasGradient(dy.Read, dbias.Write, _rows, _outputs));
                gradients.AddOwned(Input(2), dbias);
            }
            if (_x is not null)
            {
                var dweight = gradients.Allocate(Input(1));
                Backend.Run(new Gemm(dy.Read, _x.Read, dweight.Write, _outputs, _inputs, _rows, 1, 0)); // dy^T x
                gradients.AddOwned(Input(1), dweight);
            }
            if (_weight is not null)
            {
                var dx = gradients.Allocate(Input(0));
                Backend.Run(new Gemm(dy.Read, _weight.Read, dx.Write, _rows, _inputs, _outputs, 0, 0)); // dy weight
                gradients.AddOwned(Input(0), dx);
            }
        }
    }
}
