using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Memory;
using Dom.Tensors.Ops;

namespace Dom.Train.Tests.Training;

/// <summary>
/// Another backend as a device that works behind the host: a copy that was begun is done when somebody has waited for it. Notes the steps of the optimizer and the
/// waits for them, and spoils losses or fails if asked to.
/// </summary>
internal sealed class LateBackend(IBackend inner) : IBackend
{
    private int _losses, _begun;

    /// <summary>"step 1", "wait 1", ...: optimizer steps that were queued, and copies that were waited for, counted from 1.</summary>
    public List<string> Events { get; } = [];

    /// <summary>Copies that were begun and neither waited for nor given up.</summary>
    public int UnderWay { get; private set; }

    /// <summary>Whether copies are late; where they are not, everything is there at once.</summary>
    public bool IsLate { get; init; } = true;

    /// <summary>The training loss, counted from 1, of which one is made <see cref="Bad"/>; 0 for none.</summary>
    public int SpoiledLoss { get; set; }

    /// <summary>What the spoiled loss becomes.</summary>
    public float Bad { get; init; } = float.NaN;

    /// <summary>The optimizer step, counted from 1, in place of which there is no memory left; 0 for none.</summary>
    public int FailingStep { get; set; }

    public string Name => inner.Name;

    public CachingAllocator Memory => inner.Memory;

    private int Steps => Events.Count(e => e.StartsWith("step", StringComparison.Ordinal));

    public void Run<TCall>(in TCall call) where TCall : struct, IKernelCall
    {
        if (call is SgdStep)
        {
            if (Steps + 1 == FailingStep)
            {
                FailingStep = 0;
                throw new DeviceMemoryException("no memory left for this step.");
            }
            Events.Add($"step {Steps + 1}");
        }
        inner.Run(in call);
        if (call is not SoftmaxCrossEntropyStep { DLogits.IsNone: false } loss || ++_losses != SpoiledLoss)
            return;
        SpoiledLoss = 0;
        inner.CopyFromHost(BitConverter.GetBytes(Bad), loss.Losses with { Length = 1 });
    }

    public bool Supports(Type call, DType type) => inner.Supports(call, type);

    public void CopyFromHost(ReadOnlySpan<byte> source, View target) => inner.CopyFromHost(source, target);

    public void CopyToHost(View source, Span<byte> target) => inner.CopyToHost(source, target);

    public PendingRead BeginCopyToHost(View source)
    {
        var read = PendingRead.AtOnce(inner, source);
        _begun++;
        if (!IsLate)
            return read;
        UnderWay++;
        return new LateRead(this, read, _begun);
    }

    public void Synchronize() => inner.Synchronize();

    public void Dispose() => inner.Dispose();

    private sealed class LateRead(LateBackend backend, PendingRead read, int number) : PendingRead
    {
        private bool _isOver;

        public override bool IsDone => _isOver;

        protected override ReadOnlySpan<byte> Bytes => read.ToArray<byte>();

        public override void Wait()
        {
            if (!_isOver)
                backend.Events.Add($"wait {number}");
            End();
        }

        public override void Dispose() => End();

        private void End()
        {
            backend.UnderWay -= _isOver ? 0 : 1;
            _isOver = true;
        }
    }
}
