using System.Globalization;
using Dom.Kernels.Cpu;
using Dom.Kernels.Cuda;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Train;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>The backends that a person can choose with <c>--device</c>.</summary>
internal static class Devices
{
    /// <summary>For whoever writes kernels: "emulated:PATH" runs the GPU kernels of that library on the processor. See kernels/README.md.</summary>
    private const string Emulated = "emulated:";

    private const string Gpu = "cuda:";

    /// <summary>What <c>--device</c> takes, as help shows it.</summary>
    public const string Values = "auto|cpu|cuda:N|reference";

    /// <summary>What is said of <c>--device</c> where a command's help lists its options.</summary>
    public const string Help = "Where to compute: cpu (SIMD and threads), cuda:N (NVIDIA GPU number N, cuda is the first), reference (scalar, in double precision, slow), "
        + "or auto (the first GPU that can be used, else cpu).";

    /// <summary>What <c>--device</c> takes, with a GPU's number as an example.</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "cpu", "cuda:0", "reference"];

    /// <summary>Opens a backend.</summary>
    /// <param name="device">One of <see cref="Names"/>, in small or capital letters.</param>
    /// <param name="threads">Threads of the CPU backend, 0 for all cores; other backends have no such choice.</param>
    /// <param name="convolution">How the CPU backend computes convolutions; other backends have one way.</param>
    /// <param name="remark">Gets a remark on the device for a person, where there is something to say: why it was taken, which GPU it is, what does nothing on it.</param>
    /// <exception cref="OptionException">There is no device of that name, or the number of threads makes no sense.</exception>
    /// <exception cref="DeviceException">This machine has no such device, or it cannot be used.</exception>
    public static IBackend Open(string device, int threads, ConvolutionMethod convolution = ConvolutionMethod.Auto, Action<string>? remark = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (threads is < 0 or > 1024)
            throw new OptionException($"--threads is {threads}; it must be 0 (all cores) to 1024.");
        if (device.StartsWith(Emulated, StringComparison.OrdinalIgnoreCase))
            return CudaBackend.Emulate(device[Emulated.Length..]);
        var (name, why) = Resolve(device, GpuSurvey.Take);
        string? idle = name == "cpu" ? null : (threads, convolution) switch
        {
            (0, ConvolutionMethod.Auto) => null,
            (_, ConvolutionMethod.Auto) => "--threads is for cpu only",
            (0, _) => "--conv is for cpu only",
            _ => "--threads and --conv are for cpu only",
        };
        if (why is not null || idle is not null)
            remark?.Invoke(string.Join("; ", new[] { why, idle }.OfType<string>()));
        return name switch
        {
            "cpu" => new CpuBackend(threads) { Convolution = convolution },
            "reference" => new ReferenceBackend(),
            _ => CudaBackend.Open(NumberOf(name)!.Value),
        };
    }

    /// <summary>A remark as the line that a command prints.</summary>
    public static string Line(IBackend backend, string remark) => $"device: {backend.Name} ({remark})";

    /// <summary>Opens the device of a run that goes on.</summary>
    /// <param name="device">The device that was asked for, or null for the one on which the run was.</param>
    /// <param name="was">The device on which the run was.</param>
    /// <param name="threads">As in <see cref="Open"/>.</param>
    /// <param name="convolution">As in <see cref="Open"/>.</param>
    /// <param name="remark">As in <see cref="Open"/>.</param>
    /// <exception cref="DeviceException">The device is not there; the message says how to go on without it.</exception>
    public static IBackend Reopen(string? device, string was, int threads, ConvolutionMethod convolution, Action<string>? remark)
    {
        try
        {
            return Open(device ?? was, threads, convolution, remark);
        }
        catch (DeviceException e) when (device is null)
        {
            throw new DeviceException(
                $"the run was on {was}, which cannot be used now: {e.Message} To go on elsewhere give --device cpu (or auto): the rest of the run then has "
                + "that device's rounding errors.", e);
        }
    }

    /// <summary>The device behind a name: "cpu", "reference" or "cuda:N"; and why it is that one, or which GPU it is, where that is not plain.</summary>
    /// <param name="device">What was asked for.</param>
    /// <param name="survey">Looks for GPUs; asked only where it matters.</param>
    /// <exception cref="OptionException">There is no device of that name.</exception>
    internal static (string Name, string? Why) Resolve(string device, Func<GpuSurvey> survey)
    {
        string name = device.ToLowerInvariant();
        if (name is "cpu" or "reference")
            return (name, null);
        if (name == "auto")
        {
            var found = survey();
            return found.Usable is { } gpu ? ($"{Gpu}{gpu.Device}", gpu.ToString()) : ("cpu", found.WhyNone);
        }
        if (NumberOf(name) is { } number)
            return ($"{Gpu}{number}", survey().Gpus.ElementAtOrDefault(number)?.ToString());
        if (name.StartsWith(Gpu, StringComparison.Ordinal))
            throw new OptionException($"--device is '{device}'; behind {Gpu} stands the number of the GPU, from 0: cuda:0.");
        throw new OptionException(
            $"--device '{device}' is not a device; there are {string.Join(", ", Names)}{NearestName.Hint(device, [.. Names, "cuda"])}");
    }

    /// <summary>Number of the GPU, or null where the name is of another kind.</summary>
    private static int? NumberOf(string name) => name == "cuda" ? 0
        : name.StartsWith(Gpu, StringComparison.Ordinal) && int.TryParse(name.AsSpan(Gpu.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number : null;
}
