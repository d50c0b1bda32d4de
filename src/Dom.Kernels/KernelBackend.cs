using System.Diagnostics.CodeAnalysis;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Memory;

namespace Dom.Kernels;

/// <summary>What all backends share: the way from a call to its kernel, and a caching allocator.</summary>
/// <remarks>A subclass is a partial class: one file per operator, in which it implements <see cref="IKernel{TCall}"/> for the operator's calls.</remarks>
[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.Interfaces)]
public abstract class KernelBackend : IBackend
{
    // Kernels share scratch memory and threads, or a stream: calls of several threads take turns.
    private readonly Lock _calls = new();

    /// <summary>A backend of the given name.</summary>
    /// <param name="name">"cpu", "cuda:0".</param>
    /// <param name="blocks">Where its memory comes from.</param>
    protected KernelBackend(string name, IBlockSource blocks)
    {
        Name = name;
        Memory = new CachingAllocator(blocks, name);
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
    public abstract void CopyFromHost(ReadOnlySpan<byte> source, View target);

    /// <inheritdoc/>
    public abstract void CopyToHost(View source, Span<byte> target);

    /// <inheritdoc/>
    public virtual PendingRead BeginCopyToHost(View source) => PendingRead.AtOnce(this, source);

    /// <inheritdoc/>
    public virtual IDisposable? HoldConstant(View memory) => null;

    /// <inheritdoc/>
    public virtual IDisposable? QueueTogether() => null;

    /// <inheritdoc/>
    public abstract void Synchronize();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory; a subclass stops its threads or its device around it.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            Memory.Dispose();
    }

    /// <summary>Whether this class implements the call's kernel.</summary>
    protected bool HasKernel(Type call) => Array.Exists(
        GetType().GetInterfaces(), kernel => kernel.IsGenericType && kernel.GetGenericTypeDefinition() == typeof(IKernel<>) && kernel.GenericTypeArguments[0] == call);
}
