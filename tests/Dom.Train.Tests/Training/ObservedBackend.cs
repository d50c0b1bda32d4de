using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Memory;

namespace Dom.Train.Tests.Training;

/// <summary>Another backend, with its copies to the host counted and, if asked for, one kernel missing in bf16.</summary>
internal sealed class ObservedBackend(IBackend inner, Type? without = null) : IBackend
{
    /// <summary>Copies to the host so far: each waits for the device.</summary>
    public int CopiesToHost { get; private set; }

    public string Name => inner.Name;

    public CachingAllocator Memory => inner.Memory;

    public void Run<TCall>(in TCall call) where TCall : struct, IKernelCall => inner.Run(in call);

    public bool Supports(Type call, DType type) => inner.Supports(call, type) && !(call == without && type == DType.BF16);

    public void CopyFromHost(ReadOnlySpan<byte> source, View target) => inner.CopyFromHost(source, target);

    public void CopyToHost(View source, Span<byte> target)
    {
        CopiesToHost++;
        inner.CopyToHost(source, target);
    }

    public void Synchronize() => inner.Synchronize();

    public void Dispose() => inner.Dispose();
}
