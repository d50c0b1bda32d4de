using System.Diagnostics;
using Dom.Kernels.Cpu;

namespace Dom.Bench;

/// <summary>A quick look at all convolutions: each pass is sampled in turn, round after round, beside the machine's peak.</summary>
internal static class Conv2dTable
{
    private const double SampleSeconds = 0.05, CleanShare = 0.97;
    private const int MostAttempts = 12;

    public static void Print(int threads, int rounds, string only)
    {
        using var backend = new CpuBackend(threads);
        Console.WriteLine($"{threads} threads, batch 128, f32; median (best) of {rounds} interleaved rounds; GFLOP/s count the taps on padding");
        Console.WriteLine($"{"shape",-22} {"pass",-15} {"ms",9} {"best",9} {"GFLOP/s",8} {"best",7} {"peak",7} {"share",7} {"best",7}");
        foreach (var sizes in Conv2dCase.Shapes.Where(sizes => Conv2dCase.Name(sizes).Contains(only, StringComparison.Ordinal)))
        {
            using var problem = new Conv2dCase(sizes);
            var passes = Enum.GetValues<Conv2dPass>();
            var times = Array.ConvertAll(passes, _ => new List<double>());
            var peaks = new List<double>();
            foreach (var pass in passes)
                problem.Run(backend, pass);
            for (int round = 0; round < rounds; round++)
            {
                peaks.Add(PeakFlops.Measure(threads));
                for (int i = 0; i < passes.Length; i++)
                    times[i].Add(Sample(backend, problem, passes[i]));
            }
            double peak = peaks.Max();
            for (int i = 0; i < passes.Length; i++)
            {
                double median = times[i].Order().ElementAt(rounds / 2), best = times[i].Min();
                double rate = sizes.Operations / median, bestRate = sizes.Operations / best;
                Console.WriteLine(
                    $"{Conv2dCase.Name(sizes),-22} {passes[i],-15} {median * 1e3,9:F3} {best * 1e3,9:F3} {rate / 1e9,8:F1} {bestRate / 1e9,7:F1} {peak / 1e9,7:F1} {rate / peak,7:P0} {bestRate / peak,7:P0}");
            }
        }
    }

    /// <summary>Seconds per call. A sample in which other processes held the cores is taken again, a few times; the cleanest one counts.</summary>
    private static double Sample(CpuBackend backend, Conv2dCase problem, Conv2dPass pass)
    {
        double cleanest = 0, seconds = 0;
        for (int attempt = 0; attempt < MostAttempts && cleanest < CleanShare; attempt++)
        {
            var cpu = Environment.CpuUsage.TotalTime;
            long begin = Stopwatch.GetTimestamp();
            int calls = 0;
            double wall;
            do
            {
                problem.Run(backend, pass);
                calls++;
                wall = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            }
            while (wall < SampleSeconds);
            double share = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds / (wall * backend.Threads);
            if (share > cleanest)
                (cleanest, seconds) = (share, wall / calls);
        }
        return seconds;
    }
}
