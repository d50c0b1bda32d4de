using System.Runtime.InteropServices;
using Dom.Tensors;

namespace Dom.Kernels.Cuda;

/// <summary>A CUDA device through the driver's own library, <c>libcuda.so.1</c> or <c>nvcuda.dll</c>: no package, no native file of ours.</summary>
internal sealed unsafe class CudaDriver : IGpuDriver
{
    /// <summary>Oldest driver that reads the embedded PTX (ISA 7.8): CUDA 11.8.</summary>
    private const int LeastDriver = 11080;

    private const int LeastCapability = 80;
    private const int StagingBytes = 1 << 20, LargestStaged = 64 << 10;

    [ThreadStatic]
    private static nint s_current;

    private readonly int _device, _ordinal;
    private readonly nint _context, _stream;
    private readonly byte* _staging;
    private readonly Dictionary<string, nint> _modules = [];
    private int _staged;

    private CudaDriver(int ordinal)
    {
        _ordinal = ordinal;
        Check(CudaApi.DeviceGet(out _device, ordinal), "cuDeviceGet");
        Multiprocessors = Attribute(CudaApi.MultiprocessorCount);
        ComputeCapability = 10 * Attribute(CudaApi.CapabilityMajor) + Attribute(CudaApi.CapabilityMinor);
        if (ComputeCapability < LeastCapability)
            throw new DeviceException($"cuda:{ordinal} has compute capability {ComputeCapability / 10}.{ComputeCapability % 10}; 8.0 (A100, RTX 30) or newer is needed.");
        Check(CudaApi.PrimaryContextRetain(out _context, _device), "cuDevicePrimaryCtxRetain");
        MakeCurrent();
        Check(CudaApi.StreamCreate(out _stream, CudaApi.StreamNonBlocking), "cuStreamCreate");
        Check(CudaApi.HostAllocate(out nint staging, StagingBytes, 0), "cuMemHostAlloc");
        _staging = (byte*)staging;
    }

    public int Multiprocessors { get; }

    public int ComputeCapability { get; }

    public static CudaDriver Open(int ordinal)
    {
        try
        {
            int result = CudaApi.Initialize(0);
            if (result != 0)
                throw new DeviceException($"cuda: the driver finds no usable device ({CudaApi.ErrorName(result)}).");
            Check(CudaApi.DriverVersion(out int version), "cuDriverGetVersion");
            if (version < LeastDriver)
                throw new DeviceException($"cuda: the driver supports CUDA {version / 1000}.{version % 1000 / 10}; 11.8 (driver 520) or newer is needed.");
            Check(CudaApi.DeviceCount(out int count), "cuDeviceGetCount");
            if (ordinal < 0 || ordinal >= count)
                throw new DeviceException($"cuda:{ordinal} does not exist; there {(count == 1 ? "is 1 device, cuda:0" : $"are {count} devices, cuda:0 to cuda:{count - 1}")}.");
            return new CudaDriver(ordinal);
        }
        catch (DllNotFoundException e)
        {
            throw new DeviceException("cuda: there is no NVIDIA driver on this machine (libcuda.so.1 or nvcuda.dll).", e);
        }
    }

    public nint Kernel(string module, string kernel, int sharedBytes)
    {
        MakeCurrent();
        if (!_modules.TryGetValue(module, out nint loaded))
        {
            byte* log = stackalloc byte[4096];
            fixed (byte* text = Ptx.Load(module))
            {
                int* options = stackalloc int[] { CudaApi.JitErrorLogBuffer, CudaApi.JitErrorLogBytes };
                void** values = stackalloc void*[] { log, (void*)4096 };
                int result = CudaApi.ModuleLoad(out loaded, text, 2, options, values);
                if (result != 0)
                    throw new DeviceException($"cuda:{_ordinal}: the driver cannot compile {module} ({CudaApi.ErrorName(result)}): {Marshal.PtrToStringUTF8((nint)log)}");
            }
            _modules.Add(module, loaded);
        }
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(kernel + '\0'))
        {
            int result = CudaApi.ModuleGetFunction(out nint function, loaded, name);
            if (result != 0)
                throw new DeviceException($"cuda:{_ordinal}: there is no kernel {kernel} in {module} ({CudaApi.ErrorName(result)}).");
            if (sharedBytes > 48 << 10)
                Check(CudaApi.FunctionSetAttribute(function, CudaApi.MaxDynamicSharedBytes, sharedBytes), $"cuFuncSetAttribute({kernel})");
            return function;
        }
    }

    public void Launch(nint kernel, Dim3 grid, int threads, int sharedBytes, void** arguments)
    {
        MakeCurrent();
        int result = CudaApi.LaunchKernel(
            kernel, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)threads, 1, 1, (uint)sharedBytes, _stream, arguments, null);
        if (result != 0)
            throw Failure(result, $"launch of {grid.X}x{grid.Y}x{grid.Z} blocks of {threads} threads with {sharedBytes} bytes of shared memory");
    }

    public void CopyToDevice(ReadOnlySpan<byte> source, nint target)
    {
        MakeCurrent();
        fixed (byte* from = source)
        {
            if (source.Length > LargestStaged)
            {
                Check(CudaApi.CopyToDevice(target, from, (nuint)source.Length, _stream), "cuMemcpyHtoDAsync");
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
            Check(CudaApi.CopyToDevice(target, staged, (nuint)source.Length, _stream), "cuMemcpyHtoDAsync");
        }
    }

    public void CopyToHost(nint source, Span<byte> target)
    {
        MakeCurrent();
        fixed (byte* to = target)
            Check(CudaApi.CopyToHost(to, source, (nuint)target.Length, _stream), "cuMemcpyDtoHAsync");
        Synchronize();
    }

    public void Synchronize()
    {
        MakeCurrent();
        int result = CudaApi.StreamSynchronize(_stream);
        if (result != 0)
            throw Failure(result, "a kernel that was queued before");
    }

    public nint Allocate(long bytes)
    {
        MakeCurrent();
        int result = CudaApi.MemoryAllocate(out nint address, (nuint)bytes);
        if (result == CudaApi.OutOfMemory)
            return 0;
        Check(result, "cuMemAlloc");
        return address;
    }

    public void Free(nint address, long bytes)
    {
        MakeCurrent();
        Check(CudaApi.MemoryFree(address), "cuMemFree");
    }

    public void Dispose()
    {
        MakeCurrent();
        _ = CudaApi.HostFree((nint)_staging);
        _ = CudaApi.StreamDestroy(_stream);
        foreach (nint module in _modules.Values)
            _ = CudaApi.ModuleUnload(module);
        _ = CudaApi.PrimaryContextRelease(_device);
        s_current = 0;
    }

    private int Attribute(int attribute)
    {
        Check(CudaApi.DeviceAttribute(out int value, attribute, _device), "cuDeviceGetAttribute");
        return value;
    }

    private void MakeCurrent()
    {
        if (s_current == _context)
            return;
        Check(CudaApi.ContextSetCurrent(_context), "cuCtxSetCurrent");
        s_current = _context;
    }

    private DeviceException Failure(int result, string what) => new($"cuda:{_ordinal}: {CudaApi.ErrorName(result)} in {what}.");

    private static void Check(int result, string function)
    {
        if (result != 0)
            throw new DeviceException($"cuda: {function} failed: {CudaApi.ErrorName(result)}.");
    }
}
