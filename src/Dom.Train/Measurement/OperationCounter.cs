using Dom.Tensors.Backend;

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
        Operations += CallWork.OperationsOf(in call);
        Inner.Run(in call);
    }
}
