using System.Diagnostics.CodeAnalysis;
using Dom.Tensors.Backend;
using Dom.Tensors.Memory;

namespace Dom.Kernels;

/// <summary>What the backends that compute in the host's memory share.</summary>
[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.Interfaces)]
public abstract class HostBackend : KernelBackend
{
    /// <summary>A backend of the given name.</summary>
    protected HostBackend(string name) : base(name, new HostBlocks())
    {
    }

    /// <inheritdoc/>
    public override unsafe void CopyFromHost(ReadOnlySpan<byte> source, View target) =>
        source.CopyTo(new Span<byte>((void*)target.Address, checked((int)target.Bytes)));

    /// <inheritdoc/>
    public override unsafe void CopyToHost(View source, Span<byte> target) =>
        new ReadOnlySpan<byte>((void*)source.Address, checked((int)source.Bytes)).CopyTo(target);

    /// <inheritdoc/>
    public override void Synchronize()
    {
        // Calls run at once; there is nothing to wait for.
    }

    internal sealed unsafe class HostBlocks : IBlockSource
    {
        public nint Allocate(long bytes)
        {
            try
            {
                return (nint)HostMemory.Allocate(bytes);
            }
            catch (OutOfMemoryException)
            {
                return 0;
            }
        }

        public void Free(nint address, long bytes) => HostMemory.Free((void*)address);
    }
}
