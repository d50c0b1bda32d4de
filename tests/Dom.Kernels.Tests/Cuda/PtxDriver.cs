using System.Runtime.InteropServices;
using Dom.Kernels.Cuda;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>A driver without a device: memory of the host, and launches that compute nothing but must be ones that a GPU accepts.</summary>
internal sealed unsafe class PtxDriver(int computeCapability = 80) : IGpuDriver
{
    private readonly List<PtxEntry> _entries = [];
    private readonly List<int> _shared = [];

    public int Multiprocessors => 4;

    public int ComputeCapability => computeCapability;

    public int MostSharedBytes => computeCapability switch { 90 => 227, 86 or 89 => 99, _ => 163 } << 10;

    /// <summary>The kernels that were launched.</summary>
    public HashSet<string> Launched { get; } = [];

    /// <summary>What was asked of the driver, in order.</summary>
    public List<string> Events { get; } = [];

    /// <summary>Bytes that are handed out.</summary>
    public long Used { get; private set; }

    /// <summary>Bytes of the device.</summary>
    public long Limit { get; set; } = long.MaxValue;

    public nint Kernel(string module, string kernel, int sharedBytes)
    {
        var entry = PtxFile.All.Where(f => f.Module == module && (f.Architecture == "sm_80" || computeCapability == 90)).SelectMany(f => f.Entries).FirstOrDefault(e => e.Name == kernel);
        Assert.That(entry, Is.Not.Null, $"no PTX of {module} for {computeCapability} has a kernel {kernel}");
        Assert.That(sharedBytes, Is.InRange(0, MostSharedBytes), $"{kernel}: bytes of shared memory");
        Events.Add($"kernel {kernel}");
        _entries.Add(entry!);
        _shared.Add(sharedBytes);
        return _entries.Count;
    }

    public void Launch(nint kernel, Dim3 grid, int threads, int sharedBytes, void** arguments, ReadOnlySpan<int> argumentBytes)
    {
        var entry = _entries[(int)kernel - 1];
        Launched.Add(entry.Name);
        Events.Add($"launch {entry.Name}");
        Assert.That(argumentBytes.ToArray(), Is.EqualTo(entry.ParameterBytes), $"{entry.Name}: bytes of its arguments");
        Assert.That(threads, Is.InRange(1, entry.MostThreads), $"{entry.Name}: threads of a block");
        Assert.That(sharedBytes, Is.InRange(0, _shared[(int)kernel - 1]), $"{entry.Name}: bytes of shared memory, more than were announced");
        Assert.That(grid.X, Is.GreaterThan(0), $"{entry.Name}: blocks along x");
        Assert.That(grid.Y, Is.InRange(1, 65535), $"{entry.Name}: blocks along y");
        Assert.That(grid.Z, Is.InRange(1, 65535), $"{entry.Name}: blocks along z");
    }

    public void CopyToDevice(ReadOnlySpan<byte> source, nint target) => source.CopyTo(new Span<byte>((void*)target, source.Length));

    public void CopyToHost(nint source, Span<byte> target) => new ReadOnlySpan<byte>((void*)source, target.Length).CopyTo(target);

    public PendingRead BeginCopyToHost(nint source, int bytes) => PendingRead.Of(new ReadOnlySpan<byte>((void*)source, bytes));

    public void Synchronize() => Events.Add("synchronize");

    public nint Allocate(long bytes)
    {
        if (Used + bytes > Limit)
            return 0;
        Used += bytes;
        Events.Add($"allocate {bytes}");
        return (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
    }

    public void Free(nint address, long bytes)
    {
        Used -= bytes;
        Events.Add($"free {bytes}");
        NativeMemory.AlignedFree((void*)address);
    }

    public void Dispose() => Events.Add("close");
}
