using Dom.Tensors.Backend;

namespace Dom.Tensors.Memory;

/// <summary>A block of a backend's memory that goes back to the allocator when the last tensor lets go of it.</summary>
internal sealed class Storage
{
    private int _references = 1;

    public Storage(IBackend backend, long bytes, string owner)
    {
        Backend = backend;
        Owner = owner;
        Address = backend.Memory.Allocate(bytes, owner);
    }

    public IBackend Backend { get; }

    public string Owner { get; }

    public nint Address { get; private set; }

    /// <summary>Whether one tensor only holds this block, so that it may be overwritten.</summary>
    public bool IsSoleOwner => Volatile.Read(ref _references) == 1;

    public Storage Retain()
    {
        Interlocked.Increment(ref _references);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _references) > 0)
            return;
        Backend.Memory.Free(Address);
        Address = 0;
    }
}
