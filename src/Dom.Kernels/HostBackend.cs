using System.Diagnostics.CodeAnalysis;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Memory;

namespace Dom.Kernels;

/// <summary>What the backends that compute in the host's memory share: allocation, copies, and the way from a call to its kernel.</summary>
/// <remarks>A subclass is a partial class: one file per operator, in which it implements <see cref="IKernel{TCall}"/> for the operator's calls.</remarks>
[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.Interfaces)]
public abstract class HostBackend : IBackend
{
    // Kernels share scratch memory and threads: calls of several threads take turns.
    private readonly Lock _calls = new();

    /// <summary>A backend of the given name.</summary>
    protected HostBackend(string name)
    {
        Name = name;
        Memory = new CachingAllocator(new HostBlocks(), name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public CachingAllocator Memory { get; }

    /// <inheritdoc/>
    public void Run<TCall>(in TCall call) where TCall : struct, IKernelCall
    {
        if (this is not IKernel<TCall> kernel)
            throw new DeviceException($"{Name}: no kernel for {typeof(TCall).Name}.");
        lock (_calls)
            kernel.Run(call);
    }

    /// <inheritdoc/>
    public abstract bool Supports(Type call, DType type);

    /// <inheritdoc/>
    public unsafe void CopyFromHost(ReadOnlySpan<byte> source, View target) =>
        source.CopyTo(new Span<byte>((void*)target.Address, checked((int)target.Bytes)));

    /// <inheritdoc/>
    public unsafe void CopyToHost(View source, Span<byte> target) =>
        new ReadOnlySpan<byte>((void*)source.Address, checked((int)source.Bytes)).CopyTo(target);

    /// <inheritdoc/>
    public void Synchronize()
    {
        // Calls run at once; there is nothing to wait for.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory; a subclass stops its threads first.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Memory.Dispose();
    }

    /// <summary>Whether this class implements the call's kernel.</summary>
    protected bool HasKernel(Type call) => Array.Exists(
        GetType().GetInterfaces(), kernel => kernel.IsGenericType && kernel.GetGenericTypeDefinition() == typeof(IKernel<>) && kernel.GenericTypeArguments[0] == call);

    private sealed unsafe class HostBlocks : IBlockSource
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
