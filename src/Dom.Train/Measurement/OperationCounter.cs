using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Train.Measurement;

/// <summary>Counts the multiplications and additions of the convolutions and matrix products that go through it, padding taps included.</summary>
internal sealed class OperationCounter(IBackend inner) : DecoratingBackend(inner)
{
    /// <summary>Operations so far.</summary>
    public double Operations { get; set; }

    /// <inheritdoc/>
    public override void Run<TCall>(in TCall call)
    {
        NextCall();
        Operations += call switch
        {
            Conv2dForward c => c.Sizes.Operations,
            Conv2dInputGradient c => c.Sizes.Operations,
            Conv2dWeightGradient c => c.Sizes.Operations,
            Gemm c => 2.0 * c.M * c.N * c.K,
            _ => 0,
        };
        Inner.Run(in call);
    }
}
