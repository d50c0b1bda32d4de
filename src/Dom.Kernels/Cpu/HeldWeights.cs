using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Memory;

namespace Dom.Kernels.Cpu;

/// <summary>
/// What was derived from weights that somebody promised not to change for a while (<see cref="IBackend.HoldConstant"/>): packed panels and transformed
/// planes, made at the first call that needs them and used by all later ones. Freed with the promise.
/// </summary>
/// <remarks>
/// Memory is scratch memory of the kernels, apart from that of tensors; it is kept for the next promise. What does not fit its limit is derived in every call,
/// as without a promise.
/// </remarks>
internal sealed class HeldWeights(long limit) : IDisposable
{
    private readonly CachingAllocator _memory = new(new HostBackend.HostBlocks(), "cpu");
    private readonly Lock _lock = new();
    private readonly List<Promise> _promises = [];
    private readonly Dictionary<(nint Weights, object Plan), Entry> _entries = [];

    /// <summary>Bytes in use.</summary>
    public long Bytes { get; private set; }

    /// <summary>The elements of <paramref name="view"/> stay as they are until the result is disposed. Promises may overlap.</summary>
    public IDisposable Hold(View view)
    {
        var promise = new Promise(this, view.Address, view.Address + (nint)view.Bytes);
        lock (_lock)
            _promises.Add(promise);
        return promise;
    }

    /// <summary>Memory of so many floats for what a plan derives from these weights, or null where nothing was promised or no memory is left.</summary>
    public unsafe Entry? Find(float* weights, object plan, long floats)
    {
        lock (_lock)
        {
            nint address = (nint)weights;
            if (_promises.Count == 0 || !IsHeld(address))
                return null;
            if (_entries.TryGetValue((address, plan), out var entry))
                return entry;
            long bytes = floats * sizeof(float);
            if (Bytes + bytes > limit)
                return null;
            try
            {
                entry = new Entry((float*)_memory.Allocate(bytes, "weights held constant"), bytes);
            }
            catch (DeviceMemoryException)
            {
                return null;
            }
            Bytes += bytes;
            _entries.Add((address, plan), entry);
            return entry;
        }
    }

    /// <summary>Frees everything; promises that are still there have nothing to end any more.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _promises.Clear();
            FreeUnheld();
        }
        _memory.Dispose();
    }

    private bool IsHeld(nint address) => _promises.Exists(promise => promise.Covers(address));

    private void Release(Promise promise)
    {
        lock (_lock)
        {
            if (!_promises.Remove(promise))
                return; // disposed twice
            FreeUnheld();
        }
    }

    private unsafe void FreeUnheld()
    {
        foreach (var (key, entry) in _entries)
            if (!IsHeld(key.Weights))
            {
                _entries.Remove(key);
                Bytes -= entry.Bytes;
                _memory.Free((nint)entry.Floats);
            }
    }

    /// <summary>What was derived from some weights.</summary>
    internal sealed unsafe class Entry(float* floats, long bytes)
    {
        public float* Floats { get; } = floats;

        public long Bytes { get; } = bytes;

        /// <summary>Set by the call that filled it.</summary>
        public bool IsFilled { get; set; }
    }

    private sealed class Promise(HeldWeights owner, nint start, nint end) : IDisposable
    {
        public bool Covers(nint address) => address >= start && address < end;

        public void Dispose() => owner.Release(this);
    }
}
