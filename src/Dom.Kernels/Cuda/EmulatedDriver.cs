using System.Runtime.InteropServices;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Cuda;

/// <summary>Runs the kernels on the host's processor, at once and one block after the other: what <c>kernels/host/emulator.h</c> describes.</summary>
internal sealed unsafe class EmulatedDriver : IGpuDriver
{
    private const int MostBlocksAcross = 65535;

    private readonly nint _library;
    private readonly delegate* unmanaged<byte*, nint> _kernel;
    private readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, void**, void> _launch;

    private readonly delegate* unmanaged<nint, nuint, void> _poison, _unpoison;

    public EmulatedDriver(string library, int computeCapability)
    {
        ComputeCapability = computeCapability;
        try
        {
            _library = NativeLibrary.Load(Path.GetFullPath(library));
            // Of AddressSanitizer's runtime, where the process was started under it.
            nint process = NativeLibrary.GetMainProgramHandle();
            if (NativeLibrary.TryGetExport(process, "__asan_poison_memory_region", out nint poison))
                _poison = (delegate* unmanaged<nint, nuint, void>)poison;
            if (NativeLibrary.TryGetExport(process, "__asan_unpoison_memory_region", out nint unpoison))
                _unpoison = (delegate* unmanaged<nint, nuint, void>)unpoison;
            _kernel = (delegate* unmanaged<byte*, nint>)NativeLibrary.GetExport(_library, "dom_kernel");
            _launch = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, void**, void>)NativeLibrary.GetExport(_library, "dom_launch");
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            throw new DeviceException($"emulated: {library} cannot be loaded ({e.Message}). It is made by 'kernels/build.sh emulator {library}', which needs clang++-22.", e);
        }
    }

    public int Multiprocessors => 4;

    public int ComputeCapability { get; }

    public int MostSharedBytes => ComputeCapability switch { 90 => 227, 86 or 89 => 99, _ => 163 } << 10;

    public nint Kernel(string module, string kernel, int sharedBytes)
    {
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(kernel + '\0'))
        {
            nint found = _kernel(name);
            return found != 0 ? found : throw new DeviceException($"emulated: there is no kernel {kernel} in kernels/{module}.cu.");
        }
    }

    public void Launch(nint kernel, Dim3 grid, int threads, int sharedBytes, void** arguments, ReadOnlySpan<int> argumentBytes)
    {
        // What a device's driver would refuse.
        if (Math.Min(Math.Min(grid.X, grid.Y), grid.Z) < 1 || grid.Y > MostBlocksAcross || grid.Z > MostBlocksAcross || threads is < 1 or > 1024 || sharedBytes > MostSharedBytes)
            throw new DeviceException($"emulated: {grid.X}x{grid.Y}x{grid.Z} blocks of {threads} threads with {sharedBytes} bytes of shared memory are more than a device takes, or none.");
        _launch(kernel, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)threads, 1, 1, (uint)sharedBytes, arguments);
    }

    /// <summary>Lets AddressSanitizer report any access of a kernel to these bytes, or no longer. Nothing happens where it is not there.</summary>
    public void Fence(nint address, long bytes, bool isForbidden)
    {
        var poison = isForbidden ? _poison : _unpoison;
        if (poison != null)
            poison(address, (nuint)bytes);
    }

    public void CopyToDevice(ReadOnlySpan<byte> source, nint target) => source.CopyTo(new Span<byte>((void*)target, source.Length));

    public void CopyToHost(nint source, Span<byte> target) => new ReadOnlySpan<byte>((void*)source, target.Length).CopyTo(target);

    public PendingRead BeginCopyToHost(nint source, int bytes) => PendingRead.Of(new ReadOnlySpan<byte>((void*)source, bytes));

    public void Synchronize()
    {
        // Launches run at once.
    }

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

    // The library stays loaded: another backend may use it.
    public void Dispose()
    {
    }
}
