using System.Runtime.InteropServices;
using Dom.Tensors;

namespace Dom.Kernels.Cuda;

/// <summary>A CUDA device through the driver's own library, <c>libcuda.so.1</c> or <c>nvcuda.dll</c>: no package, no native file of ours.</summary>
/// <remarks>
/// A context belongs to a thread, so every method first makes this device's the thread's own: any thread may call any method. Launches come one at a time (the
/// backend sees to it), copies and allocations from everywhere. There is no finalizer: who forgets to dispose a backend keeps its memory until the process ends,
/// which is better than a driver that is called from the finalizer thread while it shuts down.
/// </remarks>
internal sealed unsafe partial class CudaDriver : IGpuDriver
{
    /// <summary>Oldest driver that reads PTX for sm_90a (ISA 8.0): CUDA 12.0. An older one gets the kernels for 8.0 on every device.</summary>
    private const int HopperDriver = 12000;

    private const int StagingBytes = 1 << 20, LargestStaged = 64 << 10;

    [ThreadStatic]
    private static CudaDriver? s_current; // and not the context's handle, which a later context may get again

    private readonly string _name;
    private readonly int _device;
    private readonly nint _context, _stream;
    private readonly byte* _staging;
    private readonly Lock _copies = new();
    private readonly Dictionary<string, nint> _modules = [];
    private readonly LaunchLog _log = new();
    private readonly bool _waitsForEachLaunch = Environment.GetEnvironmentVariable("DOM_CUDA_SYNC") == "1";
    private int _staged;
    private bool _hasFailed, _isDisposed;

    private CudaDriver(Gpu gpu, int driverVersion)
    {
        _name = $"cuda:{gpu.Device}";
        Multiprocessors = gpu.Multiprocessors;
        bool isLikeOthers = Environment.GetEnvironmentVariable("DOM_CUDA_ARCH") == "80" || driverVersion < HopperDriver;
        ComputeCapability = isLikeOthers ? Math.Min(gpu.ComputeCapability, 80) : gpu.ComputeCapability;
        Check(CudaApi.DeviceGet(out _device, gpu.Device), "cuDeviceGet");
        Check(CudaApi.DeviceAttribute(out int sharedBytes, CudaApi.MostSharedBytesOfBlock, _device), "cuDeviceGetAttribute");
        MostSharedBytes = sharedBytes;
        Check(CudaApi.PrimaryContextRetain(out _context, _device), "cuDevicePrimaryCtxRetain");
        try
        {
            MakeCurrent();
            Check(CudaApi.StreamCreate(out _stream, CudaApi.StreamNonBlocking), "cuStreamCreate");
            Check(CudaApi.HostAllocate(out nint staging, StagingBytes, 0), "cuMemHostAlloc");
            _staging = (byte*)staging;
            _graphs = OpenGraphs();
        }
        catch
        {
            Release();
            throw;
        }
    }

    public int Multiprocessors { get; }

    public int ComputeCapability { get; }

    public int MostSharedBytes { get; }

    public static CudaDriver Open(int ordinal)
    {
        var survey = GpuSurvey.Take();
        int count = survey.Gpus.Count;
        if (survey.Problem is { } problem)
            throw new DeviceException($"cuda:{ordinal} cannot be used: {problem}.");
        if (ordinal < 0 || ordinal >= count)
        {
            string what = count switch { 0 => "is no GPU", 1 => "is 1 GPU, cuda:0", _ => $"are {count} GPUs, cuda:0 to cuda:{count - 1}" };
            throw new DeviceException($"cuda:{ordinal} does not exist: there {what}.");
        }
        var gpu = survey.Gpus[ordinal];
        return gpu.Problem is null
            ? new CudaDriver(gpu, survey.DriverVersion)
            : throw new DeviceException($"cuda:{ordinal} cannot be used: {gpu.Problem}.");
    }

    public nint Kernel(string module, string kernel, int sharedBytes)
    {
        MakeCurrent();
        if (!_modules.TryGetValue(module, out nint loaded))
            _modules.Add(module, loaded = Compile(module));
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(kernel + '\0'))
        {
            int result = CudaApi.ModuleGetFunction(out nint function, loaded, name);
            if (result != 0)
                throw new DeviceException($"{_name}: there is no kernel {kernel} in {module} (cuModuleGetFunction: {CudaApi.ErrorName(result)}).");
            if (sharedBytes > 48 << 10)
                Check(CudaApi.FunctionSetAttribute(function, CudaApi.MaxDynamicSharedBytes, sharedBytes), $"cuFuncSetAttribute, {sharedBytes} bytes of shared memory for {kernel},");
            _log.Name(function, kernel);
            return function;
        }
    }

    public void Launch(nint kernel, Dim3 grid, int threads, int sharedBytes, void** arguments, ReadOnlySpan<int> argumentBytes)
    {
        MakeCurrent();
        var launch = new LaunchShape(kernel, grid, threads, sharedBytes, argumentBytes);
        if (_graphs is null || !Collects(launch, arguments))
            LaunchNow(launch, arguments);
    }

    private void LaunchNow(in LaunchShape launch, void** arguments)
    {
        var grid = launch.Grid;
        int result = CudaApi.LaunchKernel(
            launch.Kernel, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)launch.Threads, 1, 1, (uint)launch.SharedBytes, _stream, arguments, null);
        _log.Add(launch.Kernel);
        if (result == 0 && !_waitsForEachLaunch)
            return;
        string described = Describe(launch);
        Check(result, $"cuLaunchKernel of {described},");
        Check(CudaApi.StreamSynchronize(_stream), $"{described},");
    }

    private string Describe(in LaunchShape launch) =>
        $"{_log.NameOf(launch.Kernel)}, {launch.Grid.X}x{launch.Grid.Y}x{launch.Grid.Z} blocks of {launch.Threads} threads with {launch.SharedBytes} bytes of shared memory";

    public void CopyToDevice(ReadOnlySpan<byte> source, nint target)
    {
        MakeCurrent();
        HandOver();
        lock (_copies)
            fixed (byte* from = source)
            {
                if (source.Length > LargestStaged)
                {
                    Check(CudaApi.CopyToDevice(target, from, (nuint)source.Length, _stream), $"cuMemcpyHtoDAsync of {source.Length} bytes");
                    Synchronize();
                    return;
                }
                // Pinned memory is read by the device later; a piece is written again only after a wait.
                int length = (source.Length + 255) & ~255;
                if (_staged + length > StagingBytes)
                {
                    Synchronize();
                    _staged = 0;
                }
                byte* staged = _staging + _staged;
                _staged += length;
                source.CopyTo(new Span<byte>(staged, source.Length));
                Check(CudaApi.CopyToDevice(target, staged, (nuint)source.Length, _stream), $"cuMemcpyHtoDAsync of {source.Length} bytes");
            }
    }

    public void CopyToHost(nint source, Span<byte> target)
    {
        MakeCurrent();
        HandOver();
        fixed (byte* to = target)
        {
            int result = CudaApi.CopyToHost(to, source, (nuint)target.Length, _stream);
            if (result != 0)
                throw Late(result, $"cuMemcpyDtoHAsync of {target.Length} bytes");
            Synchronize();
        }
    }

    public void Synchronize()
    {
        MakeCurrent();
        HandOver();
        int result = CudaApi.StreamSynchronize(_stream);
        if (result != 0)
            throw Late(result, "cuStreamSynchronize");
    }

    public nint Allocate(long bytes)
    {
        MakeCurrent();
        int result = CudaApi.MemoryAllocate(out nint address, (nuint)bytes);
        if (result == CudaApi.OutOfMemory)
            return 0;
        if (result != 0)
            throw Late(result, $"cuMemAlloc of {bytes} bytes");
        return address;
    }

    public void Free(nint address, long bytes)
    {
        MakeCurrent();
        HandOver(); // what was launched may still read it; cuMemFree waits for what the device has
        int result = CudaApi.MemoryFree(address);
        // After a kernel has failed every function does; it has been said, and whoever cleans up behind it need not hear it again.
        if (result != 0 && !_hasFailed)
            throw Late(result, "cuMemFree");
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        MakeCurrent();
        Release();
    }

    /// <summary>Gives back what there is, also half opened or after a failure, of which somebody has been told already.</summary>
    private void Release()
    {
        _isDisposed = true;
        if (_stream != 0)
            _ = CudaApi.StreamSynchronize(_stream);
        if (_staging != null)
            _ = CudaApi.HostFree((nint)_staging);
        ReleaseSlots();
        ReleaseGraphs();
        foreach (nint module in _modules.Values)
            _ = CudaApi.ModuleUnload(module);
        if (_stream != 0)
            _ = CudaApi.StreamDestroy(_stream);
        // A thread must not be left with a context that is gone.
        _ = CudaApi.ContextSetCurrent(0);
        s_current = null;
        _ = CudaApi.PrimaryContextRelease(_device);
    }

    private nint Compile(string module)
    {
        const int logBytes = 4096;
        byte* log = stackalloc byte[logBytes];
        *log = 0;
        fixed (byte* text = Ptx.Load(module, ComputeCapability))
        {
            int* options = stackalloc int[] { CudaApi.JitErrorLogBuffer, CudaApi.JitErrorLogBytes };
            void** values = stackalloc void*[] { log, (void*)logBytes };
            int result = CudaApi.ModuleLoad(out nint loaded, text, 2, options, values);
            return result == 0 ? loaded : throw new DeviceException(
                $"{_name}: the driver cannot compile {module} (cuModuleLoadDataEx: {CudaApi.ErrorName(result)}): {Marshal.PtrToStringUTF8((nint)log)}");
        }
    }

    private void MakeCurrent()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (ReferenceEquals(s_current, this))
            return;
        Check(CudaApi.ContextSetCurrent(_context), "cuCtxSetCurrent");
        s_current = this;
    }

    /// <summary>The device works behind the program: what fails in a kernel is told to whoever asks next.</summary>
    private DeviceException Late(int result, string function)
    {
        _hasFailed = true;
        string said = $"{_name}: {function} failed: {CudaApi.ErrorName(result)}.";
        return new DeviceException(_waitsForEachLaunch || _log.IsEmpty
            ? said
            : $"{said} What failed may be a kernel that was launched before; the last were {_log}. DOM_CUDA_SYNC=1 waits for each one and names the culprit.");
    }

    private void Check(int result, string what)
    {
        if (result == 0)
            return;
        _hasFailed = true;
        throw new DeviceException($"{_name}: {what} failed: {CudaApi.ErrorName(result)}.");
    }
}
