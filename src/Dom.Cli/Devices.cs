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
    /// <summary>What <c>--device</c> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "cpu", "reference"];

    /// <summary>What is said of <c>--device</c> where a command's help lists its options.</summary>
    public const string Help = "Where to compute: cpu (SIMD and threads), reference (scalar, in double precision, slow), or auto (the fastest there is).";

    /// <summary>Opens a backend.</summary>
    /// <param name="device">One of <see cref="Names"/>, in small or capital letters.</param>
    /// <param name="threads">Threads of the CPU backend, 0 for all cores; the reference backend has one.</param>
    /// <param name="convolution">How the CPU backend computes convolutions; the reference backend has one way.</param>
    /// <exception cref="OptionException">There is no device of that name, or the number of threads makes no sense.</exception>
    /// <exception cref="DeviceException">The device is one that this version cannot use.</exception>
    public static IBackend Open(string device, int threads, ConvolutionMethod convolution = ConvolutionMethod.Auto)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (threads is < 0 or > 1024)
            throw new OptionException($"--threads is {threads}; it must be 0 (all cores) to 1024.");
        string name = device.ToLowerInvariant();
        if (name == "cuda" || name.StartsWith("cuda:", StringComparison.Ordinal))
            return CudaBackend.Open(name == "cuda" ? 0 : int.Parse(name.AsSpan(5), System.Globalization.CultureInfo.InvariantCulture));
        return name switch
        {
            "auto" or "cpu" => new CpuBackend(threads) { Convolution = convolution },
            "reference" => new ReferenceBackend(),
            _ => throw new OptionException(
                $"--device '{device}' is not a device; there are {string.Join(", ", Names)}{NearestName.Hint(device, Names)}"),
        };
    }
}
