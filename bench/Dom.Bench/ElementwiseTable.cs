using System.Diagnostics;
using System.Globalization;
using Dom.Kernels.Cpu;
using Dom.Tensors;

namespace Dom.Bench;

/// <summary>Everything between the convolutions: time, bytes per second, share of the bandwidth that was measured in the same run.</summary>
/// <remarks>
/// A sample is the mean of as many calls as fill 10 ms, after one that is not timed, as the bandwidth is measured by repeating one loop. A single
/// call also pays for its predecessor: behind the optimizer, which leaves 90 MB of changed lines in the caches, a batch norm takes a third longer.
/// </remarks>
internal static class ElementwiseTable
{
    private const double SampleMilliseconds = 10;

    public static void Print(int threads, int batch, int rounds)
    {
        using var backend = new CpuBackend(threads);
        using var scope = new TensorScope();
        var cases = ElementwiseCase.Create(backend, batch);
        var samples = cases.Select(_ => new Samples()).ToArray();
        foreach (var kernel in cases)
            kernel.Run();
        List<MemoryBandwidth> limits = [], far = [];
        var load = new ForeignLoad(() => Environment.CpuUsage.TotalTime);
        for (int round = 0; round < rounds; round++)
        {
            if (round % 3 == 0)
            {
                limits.Add(MemoryBandwidth.Measure(threads, rounds: 3, ElementwiseCase.MapFloats(batch)));
                far.Add(MemoryBandwidth.Measure(threads, rounds: 2));
            }
            for (int i = 0; i < cases.Count; i++)
                samples[i].Add(Sample(cases[i]));
        }
        double limit = limits.Max(l => l.Limit);
        Say($"{threads} threads, {batch}x32x32x64 and 11.2 M parameters, f32, {rounds} interleaved rounds; other processes took {load.Share:P0} of the processors");
        Say(Bandwidth("on operands of this size", limits));
        Say(Bandwidth("on arrays of 64 MiB a thread", far));
        Say($"the share is of the best on operands of this size, {limit / 1e9:F1} GB/s");
        Say($"{"kernel",-28} {"ms, median",10} {"min",8} {"max",8} {"MB",8} {"GB/s",7} {"share",6}");
        for (int i = 0; i < cases.Count; i++)
        {
            double rate = cases[i].Bytes / samples[i].Median * 1e3;
            Say($"{cases[i].Name,-28} {samples[i].Median,10:F3} {samples[i].Min,8:F3} {samples[i].Max,8:F3} {cases[i].Bytes / 1e6,8:F1} {rate / 1e9,7:F1} {rate / limit,6:P0}");
        }
    }

    private static double Sample(ElementwiseCase kernel)
    {
        kernel.Run();
        long begin = Stopwatch.GetTimestamp();
        int calls = 0;
        double milliseconds;
        do
        {
            kernel.Run();
            calls++;
            milliseconds = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        }
        while (milliseconds < SampleMilliseconds);
        return milliseconds / calls;
    }

    private static FormattableString Bandwidth(string where, List<MemoryBandwidth> limits) =>
        $"GB/s {where}, best: copy {limits.Max(l => l.Copy) / 1e9:F1}, triad {limits.Max(l => l.Triad) / 1e9:F1}, update in place {limits.Max(l => l.Update) / 1e9:F1}, streaming stores: copy {limits.Max(l => l.StreamingCopy) / 1e9:F1}, triad {limits.Max(l => l.StreamingTriad) / 1e9:F1}";

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
