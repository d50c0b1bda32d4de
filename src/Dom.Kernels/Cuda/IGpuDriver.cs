using Dom.Tensors.Backend;
using Dom.Tensors.Memory;

namespace Dom.Kernels.Cuda;

/// <summary>Sizes of a grid of blocks, or of a block of threads.</summary>
internal readonly record struct Dim3(int X, int Y = 1, int Z = 1);

/// <summary>
/// What the backend needs of a GPU's driver: memory, modules of kernels, launches on one stream. Implemented by <see cref="CudaDriver"/> for a device and by
/// <see cref="EmulatedDriver"/> for the host's processor.
/// </summary>
internal interface IGpuDriver : IBlockSource, IDisposable
{
    /// <summary>Streaming multiprocessors: how many blocks it takes to fill the device once, at least.</summary>
    int Multiprocessors { get; }

    /// <summary>Compute capability whose kernels are to be used, 90 for 9.0: the device's own, or 80 where DOM_CUDA_ARCH=80 or an old driver asks for no more.</summary>
    int ComputeCapability { get; }

    /// <summary>Shared memory that a block may have, that of its variables of fixed size included: 227 KiB on 9.0, 163 on 8.0, 99 on 8.6 and 8.9.</summary>
    int MostSharedBytes { get; }

    /// <summary>A kernel that can be launched.</summary>
    /// <param name="module">The file of kernels, "elementwise".</param>
    /// <param name="kernel">Its entry point, "add_forward_f32".</param>
    /// <param name="sharedBytes">The most dynamic shared memory that a launch of it will ask for.</param>
    /// <exception cref="Dom.Tensors.DeviceException">There is no such kernel, or the driver cannot compile it.</exception>
    nint Kernel(string module, string kernel, int sharedBytes);

    /// <summary>Queues a launch behind those before it.</summary>
    /// <param name="kernel">What <see cref="Kernel"/> gave.</param>
    /// <param name="grid">Blocks.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    /// <param name="arguments">Addresses of the kernel's arguments; read before the call returns.</param>
    /// <param name="argumentBytes">How long each of them is.</param>
    unsafe void Launch(nint kernel, Dim3 grid, int threads, int sharedBytes, void** arguments, ReadOnlySpan<int> argumentBytes);

    /// <summary>Allows launches to be kept until the result is disposed, or anything else asks for their place in the queue, and then handed over in one piece.</summary>
    /// <returns>What ends it; null where each is handed over at once.</returns>
    IDisposable? QueueTogether() => null;

    /// <summary>Copies to the device, behind what is queued; the source may be reused when the call returns.</summary>
    void CopyToDevice(ReadOnlySpan<byte> source, nint target);

    /// <summary>Copies to the host once all that is queued has finished; returns when it is there.</summary>
    void CopyToHost(nint source, Span<byte> target);

    /// <summary>Queues a copy to the host behind what is queued; what is queued later does not change what is read.</summary>
    PendingRead BeginCopyToHost(nint source, int bytes);

    /// <summary>Waits until all that is queued has finished.</summary>
    void Synchronize();
}
