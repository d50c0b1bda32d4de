using System.Diagnostics;
using Dom.Kernels.Cpu;

namespace Dom.Bench;

/// <summary>A quick look at all convolutions: each pass is sampled in turn, directly and where it applies by Winograd's method, round after round, beside the machine's peak.</summary>
/// <remarks>
/// Two clocks: wall time, the median of the rounds, and processor time divided by the threads, the least of the rounds. On a
/// quiet machine they agree; where other processes compete for the cores, the second still tells what a kernel costs (and counts the spinning
/// of threads that wait for each other, so it flatters nothing).
/// </remarks>
internal static class Conv2dTable
{
    private const double SampleSeconds = 0.03;

    public static void Print(int threads, int rounds, string only)
    {
        using CpuBackend direct = new(threads) { Convolution = ConvolutionMethod.Direct }, winograd = new(threads) { Convolution = ConvolutionMethod.Winograd };
        // Those of the wide network only where they are asked for: they take as long as all others together.
        var shapes = only.Length == 0 ? Conv2dCase.Shapes : Conv2dCase.Shapes.Union(Conv2dCase.Networks.Select(convolution => convolution.Sizes));
        Console.WriteLine($"{threads} threads, batch 128 (WideResNet-34-10: 32), f32, {rounds} interleaved rounds; GFLOP/s count the taps on padding and, for winograd, the products it saves");
        Console.WriteLine($"{"",-47} | {"wall clock, median",-30} | {"processor time, best",-30} | direct / this");
        Console.WriteLine($"{"shape",-22} {"pass",-15} {"method",-8} | {"ms",8} {"GFLOP/s",7} {"peak",7} {"share",5} | {"ms",8} {"GFLOP/s",7} {"peak",7} {"share",5} | wall, processor");
        foreach (var sizes in shapes.Where(sizes => Conv2dCase.Name(sizes).Contains(only, StringComparison.Ordinal)))
        {
            using var problem = new Conv2dCase(sizes);
            bool both = sizes is { KernelHeight: 3, KernelWidth: 3 } and ({ Stride: 1 } or { Stride: 2, Padding: 1 });
            var contenders = Enum.GetValues<Conv2dPass>()
                .SelectMany(pass => both ? [(Pass: pass, Backend: direct), (Pass: pass, Backend: winograd)] : new[] { (Pass: pass, Backend: direct) })
                .ToArray();
            var samples = Array.ConvertAll(contenders, _ => new List<(double Wall, double Processor)>());
            var peaks = new List<(double ByClock, double ByProcessor)>();
            foreach (var (pass, backend) in contenders)
                problem.Run(backend, pass);
            for (int round = 0; round < rounds; round++)
            {
                peaks.Add(PeakFlops.Measure(threads));
                for (int i = 0; i < contenders.Length; i++)
                    samples[i].Add(Sample(contenders[i].Backend, problem, contenders[i].Pass));
            }
            double peakByClock = peaks.Max(peak => peak.ByClock), peakByProcessor = peaks.Max(peak => peak.ByProcessor);
            var (directWall, directProcessor) = (0.0, 0.0);
            for (int i = 0; i < contenders.Length; i++)
            {
                double wall = samples[i].Select(sample => sample.Wall).Order().ElementAt(rounds / 2);
                double processor = samples[i].Min(sample => sample.Processor);
                if (contenders[i].Backend == direct)
                    (directWall, directProcessor) = (wall, processor);
                string method = contenders[i].Backend == direct ? "direct" : "winograd";
                Console.WriteLine(
                    $"{Conv2dCase.Name(sizes),-22} {contenders[i].Pass,-15} {method,-8} | {Columns(wall, peakByClock)} | {Columns(processor, peakByProcessor)} | "
                    + $"{directWall / wall:F2} {directProcessor / processor:F2}");
            }

            string Columns(double seconds, double peak) =>
                $"{seconds * 1e3,8:F3} {sizes.Operations / seconds / 1e9,7:F1} {peak / 1e9,7:F1} {sizes.Operations / seconds / peak,5:P0}";
        }
    }

    /// <summary>Seconds per call, over as many calls as fill a sample.</summary>
    private static (double Wall, double Processor) Sample(CpuBackend backend, Conv2dCase problem, Conv2dPass pass)
    {
        var before = Environment.CpuUsage.TotalTime;
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
        return (wall / calls, (Environment.CpuUsage.TotalTime - before).TotalSeconds / calls / backend.Threads);
    }
}
