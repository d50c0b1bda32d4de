using System.Globalization;
using System.Runtime.InteropServices;

namespace Dom.Kernels.Cuda;

/// <summary>An NVIDIA GPU of this machine.</summary>
/// <param name="Device">Its number, from 0: the N of "cuda:N".</param>
/// <param name="Name">What its maker calls it.</param>
/// <param name="ComputeCapability">90 for 9.0.</param>
/// <param name="Multiprocessors">Streaming multiprocessors.</param>
/// <param name="MemoryBytes">Its memory.</param>
/// <param name="L2Bytes">Its second-level cache.</param>
public sealed record Gpu(int Device, string Name, int ComputeCapability, int Multiprocessors, long MemoryBytes, long L2Bytes)
{
    private const int LeastCapability = 80;

    /// <summary>Why the kernels cannot run on it; null where they can.</summary>
    public string? Problem => ComputeCapability >= LeastCapability ? null
        : $"{Name} has compute capability {CapabilityText}; 8.0 (A100, RTX 30) or newer is needed";

    /// <summary>"9.0".</summary>
    public string CapabilityText => $"{ComputeCapability / 10}.{ComputeCapability % 10}";

    /// <summary>"NVIDIA H100 80GB HBM3, 79 GiB".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name}, {MemoryBytes / (double)(1 << 30):0} GiB");
}

/// <summary>What this machine has of NVIDIA's GPUs. Asking makes no context on any of them, and never throws.</summary>
/// <param name="Gpus">All that the driver shows, usable or not.</param>
/// <param name="Problem">Why there is none, or why the driver cannot be used; null where it can.</param>
/// <param name="DriverVersion">The CUDA version that the driver supports, 12040 for 12.4; 0 without a driver.</param>
public sealed record GpuSurvey(IReadOnlyList<Gpu> Gpus, string? Problem, int DriverVersion = 0)
{
    /// <summary>Oldest driver that reads the embedded PTX (ISA 7.8): CUDA 11.8.</summary>
    private const int LeastDriver = 11080;

    /// <summary>The first GPU that the kernels can run on, or null.</summary>
    public Gpu? Usable => Problem is null ? Gpus.FirstOrDefault(gpu => gpu.Problem is null) : null;

    /// <summary>Why there is no <see cref="Usable"/> one; null where there is.</summary>
    public string? WhyNone => Usable is not null ? null : Problem ?? (Gpus.Count > 0 ? Gpus[0].Problem : "the NVIDIA driver shows no GPU");

    /// <summary>"12.4".</summary>
    public string DriverText => TextOf(DriverVersion);

    /// <summary>Asks the driver, where there is one; without one it costs a failed look for a file.</summary>
    public static GpuSurvey Take()
    {
        if (!CudaApi.IsInstalled)
            return None("no NVIDIA driver on this machine");
        try
        {
            int result = CudaApi.Initialize(0);
            if (result != 0)
                return None($"the NVIDIA driver finds no usable GPU ({CudaApi.ErrorName(result)})");
            if (CudaApi.DriverVersion(out int version) != 0 || version < LeastDriver)
                return None($"the NVIDIA driver supports CUDA {TextOf(version)}; {TextOf(LeastDriver)} (driver 520) or newer is needed", version);
            result = CudaApi.DeviceCount(out int count);
            if (result != 0)
                return None($"the NVIDIA driver cannot count its GPUs (cuDeviceGetCount: {CudaApi.ErrorName(result)})", version);
            return new GpuSurvey([.. Enumerable.Range(0, count).Select(Describe)], null, version);
        }
        catch (EntryPointNotFoundException)
        {
            return None($"the NVIDIA driver is too old; one for CUDA {TextOf(LeastDriver)} (driver 520) or newer is needed");
        }
    }

    /// <summary>"12.4" of 12040.</summary>
    internal static string TextOf(int version) => $"{version / 1000}.{version % 1000 / 10}";

    private static GpuSurvey None(string problem, int version = 0) => new([], problem, version);

    private static unsafe Gpu Describe(int ordinal)
    {
        const int length = 256;
        byte* text = stackalloc byte[length];
        if (CudaApi.DeviceGet(out int device, ordinal) != 0 || CudaApi.DeviceName(text, length, device) != 0)
            return new Gpu(ordinal, "a GPU that does not answer", 0, 0, 0, 0);
        string name = Marshal.PtrToStringUTF8((nint)text)!;
        _ = CudaApi.DeviceTotalMemory(out nuint bytes, device);
        return new Gpu(
            ordinal, name, 10 * Attribute(CudaApi.CapabilityMajor) + Attribute(CudaApi.CapabilityMinor), Attribute(CudaApi.MultiprocessorCount),
            (long)bytes, Attribute(CudaApi.L2CacheBytes));

        int Attribute(int attribute) => CudaApi.DeviceAttribute(out int value, attribute, device) == 0 ? value : 0;
    }
}
