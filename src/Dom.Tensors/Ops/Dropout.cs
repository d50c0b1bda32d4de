using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[n, j] = x[n, j] / (1 - rate) where uniform number j of the stream for sample SampleIds[n] is at least rate, else 0.</summary>
/// <remarks>
/// x, y [Rows, RowLength], SampleIds [Rows] i32, rate in [0, 1). The gradient is the same call on dy: the mask is drawn again, not stored.
/// </remarks>
public readonly record struct DropoutForward(
    View X, View SampleIds, View Y, RandomStream Stream, int Rows, int RowLength, float Rate) : IKernelCall;

/// <summary>Dropout (Srivastava et al. 2014), scaled while training so that inference needs nothing.</summary>
public static class Dropout
{
    /// <summary>x with a share <paramref name="rate"/> of its elements zeroed and the rest scaled by 1 / (1 - rate).</summary>
    /// <param name="x">[N, ...].</param>
    /// <param name="sampleIds">[N] i32: the mask of a sample depends on its id, not on its place in the batch.</param>
    /// <param name="stream">Stream of this layer at this step.</param>
    /// <param name="rate">Share of zeros, in [0, 1); 0 returns x itself.</param>
    /// <exception cref="ShapeException">There is not one id a row.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not in [0, 1).</exception>
    public static Tensor Apply(Tensor x, Tensor sampleIds, RandomStream stream, float rate)
    {
        if (!(rate >= 0 && rate < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "dropout: the rate must be at least 0 and below 1.");
        int rows = Noise.CheckedRows("dropout", sampleIds, x.Shape);
        if (rate == 0)
            return x;
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "dropout");
        x.Backend.Run(new DropoutForward(x.Read, sampleIds.Read, y.Write, stream, rows, Noise.RowLength(x.Shape), rate));
        if (Tape.Tracks(x))
            Tape.Record(new DropoutOp(y, x, sampleIds, stream, rate));
        return y;
    }

    private sealed class DropoutOp : Op
    {
        private readonly Tensor _sampleIds;
        private readonly RandomStream _stream;
        private readonly float _rate;

        public DropoutOp(Tensor y, Tensor x, Tensor sampleIds, RandomStream stream, float rate) : base("dropout", y, x) =>
            (_sampleIds, _stream, _rate) = (Save(sampleIds), stream, rate);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = gradients.Allocate(Input(0));
            Backend.Run(new DropoutForward(
                dy.Read, _sampleIds.Read, dx.Write, _stream, dy.Shape[0], Noise.RowLength(dy.Shape), _rate));
            gradients.AddOwned(Input(0), dx);
        }
    }
}
