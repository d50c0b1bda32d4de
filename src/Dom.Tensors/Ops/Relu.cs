using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[i] = max(x[i], 0); a NaN stays a NaN.</summary>
public readonly record struct ReluForward(View X, View Y) : IKernelCall;

/// <summary>dx[i] = dy[i] where y[i] &gt; 0, else 0. The gradient at 0 is 0, as PyTorch's.</summary>
public readonly record struct ReluBackward(View Y, View Dy, View Dx) : IKernelCall;

/// <summary>Rectified linear unit.</summary>
public static class Relu
{
    /// <summary>max(x, 0), elementwise.</summary>
    public static Tensor Apply(Tensor x)
    {
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "relu");
        x.Backend.Run(new ReluForward(x.Read, y.Write));
        if (Tape.Tracks(x))
            Tape.Record(new ReluOp(x, y));
        return y;
    }

    private sealed class ReluOp : Op
    {
        private readonly Tensor _y;

        public ReluOp(Tensor x, Tensor y) : base("relu", y, x) => _y = Save(y);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = gradients.Allocate(Input(0));
            Backend.Run(new ReluBackward(_y.Read, dy.Read, dx.Write));
            gradients.AddOwned(Input(0), dx);
        }
    }
}
