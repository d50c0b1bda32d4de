using System.Runtime.InteropServices;
using Dom.Kernels.Cuda;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>A driver without a device: memory of the host, and launches that compute nothing but must be ones that a GPU accepts.</summary>
internal sealed unsafe class PtxDriver : IGpuDriver
{
    // What an RTX 30 or 40 lends to a block, the least of all that are supported; an A100 has 163 KiB, an H100 227.
    private const int MostSharedBytes = 99 << 10;

    private readonly List<PtxEntry> _entries = [];
    private readonly List<int> _shared = [];

    public int Multiprocessors => 4;

    public int ComputeCapability => 80;

    /// <summary>The kernels that were launched.</summary>
    public HashSet<string> Launched { get; } = [];

    public nint Kernel(string module, string kernel, int sharedBytes)
    {
        var entry = PtxFile.All.Where(f => f.Module == module && f.Architecture == "sm_80").SelectMany(f => f.Entries).FirstOrDefault(e => e.Name == kernel);
        Assert.That(entry, Is.Not.Null, $"kernels/ptx/{module}.sm_80.ptx has no kernel {kernel}");
        Assert.That(sharedBytes, Is.InRange(0, MostSharedBytes), $"{kernel}: bytes of shared memory");
        _entries.Add(entry!);
        _shared.Add(sharedBytes);
        return _entries.Count;
    }

    public void Launch(nint kernel, Dim3 grid, int threads, int sharedBytes, void** arguments)
    {
        var entry = _entries[(int)kernel - 1];
        Launched.Add(entry.Name);
        Assert.That(threads, Is.InRange(1, entry.MostThreads), $"{entry.Name}: threads of a block");
        Assert.That(sharedBytes, Is.InRange(0, _shared[(int)kernel - 1]), $"{entry.Name}: bytes of shared memory, more than were announced");
        Assert.That(grid.X, Is.GreaterThan(0), $"{entry.Name}: blocks along x");
        Assert.That(grid.Y, Is.InRange(1, 65535), $"{entry.Name}: blocks along y");
        Assert.That(grid.Z, Is.InRange(1, 65535), $"{entry.Name}: blocks along z");
    }

    public void CopyToDevice(ReadOnlySpan<byte> source, nint target) => source.CopyTo(new Span<byte>((void*)target, source.Length));

    public void CopyToHost(nint source, Span<byte> target) => new ReadOnlySpan<byte>((void*)source, target.Length).CopyTo(target);

    public void Synchronize()
    {
    }

    public nint Allocate(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);

    public void Free(nint address, long bytes) => NativeMemory.AlignedFree((void*)address);

    public void Dispose()
    {
    }
}
