using Dom.Tensors.Memory;

namespace Dom.Tensors.Backend;

/// <summary>Runs kernel calls and owns the memory that they work on. Knows nothing of shapes beyond what a call says, nor of autodiff.</summary>
public interface IBackend : IDisposable
{
    /// <summary>"reference", "cpu", "cuda:0".</summary>
    string Name { get; }

    /// <summary>The memory of the device.</summary>
    CachingAllocator Memory { get; }

    /// <summary>Runs a call, or queues it behind those before it.</summary>
    /// <exception cref="DeviceException">There is no kernel for the call or for its element type.</exception>
    void Run<TCall>(in TCall call) where TCall : struct, IKernelCall;

    /// <summary>Whether there is a kernel for the call with floating-point elements of <paramref name="type"/>.</summary>
    bool Supports(Type call, DType type);

    /// <summary>Copies bytes from the host; returns when the source may be reused.</summary>
    void CopyFromHost(ReadOnlySpan<byte> source, View target);

    /// <summary>Copies bytes to the host; returns when they are there.</summary>
    void CopyToHost(View source, Span<byte> target);

    /// <summary>
    /// Starts a copy to the host behind what is queued, and returns before it is there where the device works behind the host; elsewhere it is done at once. Calls
    /// that are queued later do not change what is read.
    /// </summary>
    /// <returns>The copy: asks, waits and reads; to be disposed.</returns>
    PendingRead BeginCopyToHost(View source) => PendingRead.AtOnce(this, source);

    /// <summary>
    /// Promises that the elements of <paramref name="memory"/> stay as they are until the result is disposed: a backend may keep what it derives from
    /// them between calls, as the CPU's convolutions do with their weights. Results have the same bits with and without.
    /// </summary>
    /// <returns>What ends the promise; null where the backend keeps nothing anyway.</returns>
    IDisposable? HoldConstant(View memory) => null;

    /// <summary>
    /// Allows the calls until the result is disposed to be handed to the device in one piece, as late as when somebody copies from its memory, waits for it, or disposes
    /// the result. Order, results and bits are the same with and without; errors may be told later.
    /// </summary>
    /// <returns>What ends it, and tells errors of what is handed over then; null where a call is handed over at once anyway.</returns>
    IDisposable? QueueTogether() => null;

    /// <summary>Returns when all queued calls have finished.</summary>
    void Synchronize();
}
