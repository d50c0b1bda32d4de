using Dom.Tensors.Memory;

namespace Dom.Tensors.Backend;

/// <summary>
/// A backend that hands everything to another one and looks on. Tensors made on it live in the inner backend's memory, and their operators
/// run through the decorator. Decorators may be stacked.
/// </summary>
public abstract class DecoratingBackend : IBackend
{
    private int _calls;

    /// <summary>A decorator that owns <paramref name="inner"/> and disposes it with itself.</summary>
    protected DecoratingBackend(IBackend inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        Inner = inner;
    }

    /// <summary>The backend that does the work.</summary>
    public IBackend Inner { get; }

    /// <summary>The name of the inner backend.</summary>
    public string Name => Inner.Name;

    /// <summary>The memory of the inner backend.</summary>
    public CachingAllocator Memory => Inner.Memory;

    /// <summary>Calls that were asked for so far.</summary>
    public int CallCount => Volatile.Read(ref _calls);

    /// <inheritdoc/>
    public abstract void Run<TCall>(in TCall call) where TCall : struct, IKernelCall;

    /// <inheritdoc/>
    public bool Supports(Type call, DType type) => Inner.Supports(call, type);

    /// <inheritdoc/>
    public void CopyFromHost(ReadOnlySpan<byte> source, View target) => Inner.CopyFromHost(source, target);

    /// <inheritdoc/>
    public void CopyToHost(View source, Span<byte> target) => Inner.CopyToHost(source, target);

    /// <inheritdoc/>
    public PendingRead BeginCopyToHost(View source) => Inner.BeginCopyToHost(source);

    /// <inheritdoc/>
    public IDisposable? HoldConstant(View memory) => Inner.HoldConstant(memory);

    /// <inheritdoc/>
    public virtual IDisposable? QueueTogether() => Inner.QueueTogether();

    /// <inheritdoc/>
    public void Synchronize() => Inner.Synchronize();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes the inner backend.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Inner.Dispose();
    }

    /// <summary>The number of the call that starts now: 1 for the first.</summary>
    protected int NextCall() => Interlocked.Increment(ref _calls);

    /// <summary>The elements of a view as f64 numbers on the host, once all queued calls have finished.</summary>
    protected static double[] ElementsOf(IBackend backend, View view)
    {
        var bytes = BytesOf(backend, view.Address, view.Bytes);
        return HostElements.ToDoubles(bytes, view.Type);
    }

    /// <summary>Bytes of a backend's memory, once all queued calls have finished.</summary>
    protected static byte[] BytesOf(IBackend backend, nint address, long count)
    {
        var bytes = new byte[checked((int)count)];
        backend.Synchronize();
        backend.CopyToHost(new View(address, bytes.Length, DType.U8, Access.Read), bytes);
        return bytes;
    }
}
