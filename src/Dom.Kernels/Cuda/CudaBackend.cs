using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Cuda;

/// <summary>
/// Kernels for NVIDIA GPUs of compute capability 8.0 and up, f32 and bf16 elements, f32 accumulation. The kernels are those of the folder <c>kernels/</c>; the files
/// beside this one decide how many threads a call gets.
/// </summary>
/// <remarks>
/// Calls are queued on one stream and return at once. A kernel receives its call, the record struct itself, as its parameter; some receive a plan behind it.
/// </remarks>
public sealed partial class CudaBackend : KernelBackend
{
    private const int Threads = 256;

    private readonly IGpuDriver _driver;
    private readonly Dictionary<(KernelName, DType), (nint Kernel, int SharedBytes)> _kernels = [];
    private nint _scratch, _counters;
    private long _scratchBytes;
    private int _counterCount;

    internal CudaBackend(string name, IGpuDriver driver) : base(name, driver) => _driver = driver;

    /// <summary>Opens a device of this machine.</summary>
    /// <param name="device">Its number, from 0.</param>
    /// <exception cref="DeviceException">There is no driver, no such device, or one of them is too old; the message says what was found and what is needed.</exception>
    public static CudaBackend Open(int device = 0) => new($"cuda:{device}", CudaDriver.Open(device));

    /// <summary>The same kernels on the host's processor, slowly: to test them where there is no GPU.</summary>
    /// <param name="library">What <c>kernels/build.sh emulator</c> made.</param>
    /// <param name="computeCapability">The device that is stood in for, 80 for 8.0: it decides which kernels a call gets.</param>
    /// <exception cref="DeviceException">The library cannot be loaded.</exception>
    public static CudaBackend Emulate(string library, int computeCapability = 80) => new("emulated", new EmulatedDriver(library, computeCapability));

    /// <summary>
    /// Whether kernels are taken that pass the suite on the emulator and have not been run on a GPU yet: those of <c>conv2dstrided_hopper.cu</c> and <c>conv2d_hopper.cu</c>. DOM_CUDA_TRIAL=1 in
    /// the environment, for whoever has a Hopper and wants to prove or time them.
    /// </summary>
    internal bool IsOnTrial { get; set; } = Environment.GetEnvironmentVariable("DOM_CUDA_TRIAL") == "1";

    /// <inheritdoc/>
    public override bool Supports(Type call, DType type) => type is DType.F32 or DType.BF16 && HasKernel(call);

    /// <inheritdoc/>
    public override void CopyFromHost(ReadOnlySpan<byte> source, View target)
    {
        if (!source.IsEmpty)
            _driver.CopyToDevice(source, target.Address);
    }

    /// <inheritdoc/>
    public override void CopyToHost(View source, Span<byte> target)
    {
        if (!target.IsEmpty)
            _driver.CopyToHost(source.Address, target);
    }

    /// <inheritdoc/>
    public override PendingRead BeginCopyToHost(View source) =>
        source.Bytes == 0 ? base.BeginCopyToHost(source) : _driver.BeginCopyToHost(source.Address, checked((int)source.Bytes));

    /// <inheritdoc/>
    public override IDisposable? QueueTogether() => _driver.QueueTogether();

    /// <summary>Forbids kernels to touch bytes, or allows it again, where the emulated device can: under AddressSanitizer. Else it does nothing.</summary>
    internal void Fence(nint address, long bytes, bool isForbidden) => (_driver as EmulatedDriver)?.Fence(address, bytes, isForbidden);

    /// <inheritdoc/>
    public override void Synchronize() => _driver.Synchronize();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _scratch != 0)
            _driver.Free(_scratch, _scratchBytes);
        if (disposing && _counters != 0)
            _driver.Free(_counters, CounterBytes(_counterCount));
        _scratch = _counters = 0;
        base.Dispose(disposing);
        if (disposing)
            _driver.Dispose();
    }

    /// <summary>
    /// Memory for partial results between the kernels of one call. Calls run one after the other, so all share it; it grows in the first steps and stays where it is.
    /// </summary>
    private nint Scratch(long bytes)
    {
        if (bytes <= _scratchBytes)
            return _scratch;
        long grown = 2 * _scratchBytes;
        if (_scratch != 0)
        {
            _driver.Synchronize();
            _driver.Free(_scratch, _scratchBytes);
        }
        _scratchBytes = 0;
        _scratch = 0;
        // Some room to grow where there is room, else what is needed and no more; what the allocator keeps for reuse has to give way.
        foreach (long size in (ReadOnlySpan<long>)[Math.Max(bytes, grown), bytes])
        {
            _scratch = _driver.Allocate(size);
            if (_scratch == 0)
            {
                Memory.EmptyCache();
                _scratch = _driver.Allocate(size);
            }
            if (_scratch == 0)
                continue;
            _scratchBytes = size;
            return _scratch;
        }
        throw new DeviceMemoryException($"{Name}: out of memory: a kernel needs {bytes / 1048576.0:F1} MiB for partial sums, {Memory.LiveBytes / 1048576.0:F1} MiB are in use ({Memory.Report(5)}). Use a smaller batch.", Memory.LiveBytes + Memory.CachedBytes);
    }

    /// <summary>
    /// Integers by which the blocks of a kernel find out which of them is the last to finish. They are 0 between kernels: the last block sets its counter back.
    /// </summary>
    private nint Counters(int count)
    {
        if (count <= _counterCount)
            return _counters;
        if (_counters != 0)
        {
            _driver.Synchronize();
            _driver.Free(_counters, CounterBytes(_counterCount));
        }
        _counterCount = 0;
        int kept = Math.Max(count, 1024);
        _counters = _driver.Allocate(CounterBytes(kept));
        if (_counters == 0)
        {
            Memory.EmptyCache();
            _counters = _driver.Allocate(CounterBytes(kept));
        }
        if (_counters == 0)
            throw new DeviceMemoryException($"{Name}: out of memory: a kernel needs {CounterBytes(count)} bytes for counters. Use a smaller batch.", Memory.LiveBytes + Memory.CachedBytes);
        _driver.CopyToDevice(new byte[CounterBytes(kept)], _counters);
        _counterCount = kept;
        return _counters;
    }

    private static int CounterBytes(int count) => count * sizeof(int);

    /// <summary>Blocks for <paramref name="items"/> pieces of work, one a thread: enough of them to fill the device several times, the rest in the kernel's loop.</summary>
    private Dim3 BlocksFor(long items, int threads = Threads) => new((int)Math.Clamp((items + threads - 1) / threads, 1, 32L * _driver.Multiprocessors));

    /// <summary>Blocks for elements that threads move 16 bytes at a time.</summary>
    private Dim3 BlocksForPacks(View view) => BlocksFor((view.Bytes + 15) / 16);

    /// <summary>Launches a kernel whose one parameter is a call, or a plan where a call's operands may have been packed.</summary>
    private unsafe void Launch<T>(KernelName name, DType type, Dim3 grid, in T parameter, int threads = Threads, int sharedBytes = 0) where T : unmanaged
    {
        var copy = parameter; // on the stack, where nothing moves it; a recorded call is not
        void* argument = &copy;
        Queue(name, type, grid, threads, sharedBytes, &argument, [sizeof(T)]);
    }

    private unsafe void Launch<TCall, TPlan>(KernelName name, DType type, Dim3 grid, in TCall call, TPlan plan, int threads = Threads, int sharedBytes = 0)
        where TCall : struct, IKernelCall where TPlan : unmanaged
    {
        var copy = call;
        void** arguments = stackalloc void*[] { Unsafe.AsPointer(ref copy), &plan };
        Queue(name, type, grid, threads, sharedBytes, arguments, [Unsafe.SizeOf<TCall>(), sizeof(TPlan)]);
    }

    private unsafe void Queue(KernelName name, DType type, Dim3 grid, int threads, int sharedBytes, void** arguments, ReadOnlySpan<int> argumentBytes)
    {
        // Where there are no elements there are no blocks, which a driver takes for a mistake.
        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0)
            return;
        _driver.Launch(Find(name, type, sharedBytes), grid, threads, sharedBytes, arguments, argumentBytes);
    }

    private nint Find(KernelName name, DType type, int sharedBytes)
    {
        // A launch with more shared memory than any before has to be announced to the driver.
        if (_kernels.TryGetValue((name, type), out var known) && sharedBytes <= known.SharedBytes)
            return known.Kernel;
        string suffix = type switch
        {
            DType.F32 => "f32",
            DType.BF16 => "bf16",
            DType.I32 when name.OfIntegers => "i32",
            DType.U8 when name.OfIntegers => "u8",
            _ => throw new DeviceException($"{Name}: no kernel for {name.Kernel}({type.ToString().ToLowerInvariant()}). f32 and bf16 are supported; cast the tensor."),
        };
        nint kernel = _driver.Kernel(name.Module, $"{name.Kernel}_{suffix}", sharedBytes);
        _kernels[(name, type)] = (kernel, sharedBytes);
        return kernel;
    }

    /// <summary>
    /// A kernel of which there is one for each element type: <c>Kernel_f32</c> and <c>Kernel_bf16</c> in <c>kernels/Module.cu</c>, and where it is also a kernel
    /// <c>ofIntegers</c> <c>Kernel_i32</c> and <c>Kernel_u8</c>. One object a kernel, kept for good.
    /// </summary>
    [SuppressMessage("Performance", "CA1812", Justification = "Made by the files of the operators.")]
    private sealed class KernelName(string module, string kernel, bool ofIntegers = false)
    {
        public string Module => module;

        public string Kernel => kernel;

        public bool OfIntegers => ofIntegers;
    }
}
