using Dom.Kernels.Cpu;
using Dom.Kernels.Measurement;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Cli.Bench;

/// <summary>What a device could do: what calls are held against.</summary>
/// <param name="FlopsPerSecond">Multiplications and additions a second; 0 where nothing is known.</param>
/// <param name="PeakSource">Where that comes from.</param>
/// <param name="BytesPerSecond">Bytes read and written a second.</param>
/// <param name="BandwidthSource">Where that comes from.</param>
internal sealed record Ceilings(double FlopsPerSecond, string PeakSource, double BytesPerSecond, string BandwidthSource)
{
    public const int SmallestMatrix = 256;

    private const int LargestMatrix = 8192;
    private const long LargestCopy = 512L << 20, SmallestCopy = 1L << 20;

    /// <summary>Measures the ceilings of a device by its own calls; those of the CPU by loops that do nothing else.</summary>
    /// <param name="backend">The device.</param>
    /// <param name="type">Type of the matrices.</param>
    /// <param name="given">Multiplications and additions a second that somebody else reached on this device, or 0.</param>
    /// <param name="patience">Seconds that the largest copy and the largest product may take: slow devices are measured with smaller ones.</param>
    /// <param name="smallest">Rows and columns of the smallest product.</param>
    public static Ceilings Measure(IBackend backend, DType type, double given, double patience, int smallest = SmallestMatrix)
    {
        using var scope = new TensorScope();
        var (bytes, bandwidth) = backend is CpuBackend cpu
            ? (MemoryBandwidth.Measure(cpu.Threads, rounds: 2).Limit, "the best of the measured copies and triads")
            : Copying(backend, patience);
        var (flops, peak) = backend is CpuBackend { Threads: var threads }
            ? (Math.Max(PeakFlops.Measure(threads).ByClock, PeakFlops.Measure(threads).ByClock), "measured f32 multiply-add")
            : Multiplying(backend, type, patience, smallest);
        if (given > flops)
            (flops, peak) = (given, "--peak");
        return new Ceilings(flops, peak, bytes, bandwidth);
    }

    private static (double, string) Copying(IBackend backend, double patience)
    {
        for (long bytes = SmallestCopy; ; bytes *= 8)
        {
            bytes = Math.Min(bytes, LargestCopy);
            using var scope = new TensorScope();
            int count = (int)(bytes / sizeof(float));
            var x = Random(count / 1024, 1024, DType.F32, backend);
            var y = Tensor.Empty(x.Shape, DType.F32, backend, "bench");
            var taken = Durations.MeasureQueued(backend, () => backend.Run(new Copy(x.Read, y.Write)), Math.Min(patience, 0.005));
            if (bytes == LargestCopy || taken.Median > patience)
                return (2.0 * bytes / taken.Fastest, $"a copy of {bytes >> 20} MiB");
        }
    }

    private static (double, string) Multiplying(IBackend backend, DType type, double patience, int smallest)
    {
        if (!backend.Supports(typeof(Gemm), type))
            return (0, $"unknown: no matrix product in {Name(type)}");
        double best = 0;
        int bestSize = 0;
        for (int size = smallest; size <= LargestMatrix; size *= 2)
        {
            using var scope = new TensorScope();
            // Random numbers: a processor that is short of power multiplies zeros faster.
            var (a, b) = (Random(size, size, type, backend), Random(size, size, type, backend));
            var c = Tensor.Empty(a.Shape, type, backend, "bench");
            var taken = Durations.MeasureQueued(
                backend, () => backend.Run(new Gemm(a.Read, b.Read, c.Write, size, size, size, 0, 0)), Math.Min(patience, 0.005));
            double rate = 2.0 * size * size * size / taken.Fastest;
            if (rate > best)
                (best, bestSize) = (rate, size);
            if (taken.Median > patience)
                break;
        }
        return (best, $"a {Name(type)} matrix product of {bestSize}x{bestSize}");
    }

    /// <summary>Numbers uniform in -1 to 1.</summary>
    internal static Tensor Random(int rows, int columns, DType type, IBackend backend)
    {
        using var scope = new TensorScope();
        var ids = Tensor.From(Enumerable.Range(0, rows).ToArray(), backend);
        var values = Noise.Uniform(ids, Shape.Of(rows, columns), RandomStream.For(0, RandomPurpose.Test), -1, 1);
        return scope.Keep(type == DType.F32 ? values : Cast.Apply(values, type));
    }

    private static string Name(DType type) => type.ToString().ToLowerInvariant();
}
