using Dom.Tensors.Memory;

namespace Dom.Tensors.Backend;

/// <summary>
/// Computes nothing and has no memory, but deals out addresses as a device would: whatever runs on it tells how much memory it would take. Kernels write nothing; what is read back is zero.
/// </summary>
/// <remarks>Scratch memory that a backend keeps for its kernels is not counted.</remarks>
public sealed class SizingBackend : IBackend
{
    private readonly IBackend _like;
    private readonly Addresses _addresses;

    /// <summary>Stands in for a backend.</summary>
    /// <param name="like">The backend whose kernels and name it claims to have; nothing runs on it.</param>
    /// <param name="limit">Bytes after which there are no more.</param>
    public SizingBackend(IBackend like, long limit = long.MaxValue)
    {
        _like = like;
        _addresses = new Addresses(limit);
        Memory = new CachingAllocator(_addresses, like.Name);
    }

    /// <summary>The name of the backend that it stands in for.</summary>
    public string Name => _like.Name;

    /// <inheritdoc/>
    public CachingAllocator Memory { get; }

    /// <summary>The most bytes that a device would have been asked for at a time, those kept for reuse among them.</summary>
    public long PeakBytes => _addresses.Peak;

    /// <inheritdoc/>
    public void Run<TCall>(in TCall call) where TCall : struct, IKernelCall
    {
        // The sizes are known before a call runs.
    }

    /// <inheritdoc/>
    public bool Supports(Type call, DType type) => _like.Supports(call, type);

    /// <inheritdoc/>
    public void CopyFromHost(ReadOnlySpan<byte> source, View target)
    {
        // There is nothing behind an address.
    }

    /// <inheritdoc/>
    public void CopyToHost(View source, Span<byte> target) => target.Clear();

    /// <inheritdoc/>
    public void Synchronize()
    {
        // Nothing is under way.
    }

    /// <inheritdoc/>
    public void Dispose() => Memory.Dispose();

    private sealed class Addresses(long limit) : IBlockSource
    {
        private long _next = 1 << 20, _used;

        public long Peak { get; private set; }

        public nint Allocate(long bytes)
        {
            if (_used + bytes > limit)
                return 0;
            nint address = (nint)_next;
            _next += (bytes + 255) & ~255L;
            _used += bytes;
            Peak = Math.Max(Peak, _used);
            return address;
        }

        public void Free(nint address, long bytes) => _used -= bytes;
    }
}
