using System.Diagnostics;
using System.Globalization;
using Dom.Kernels.Cpu;
using Dom.Train.Measurement;
using Dom.Train.Training;

namespace Dom.Bench;

/// <summary>
/// PreActResNet-18 as a whole: training step, inference, PGD-10 step; ours and, if asked for, PyTorch's and TorchSharp's, a round of each in turn so that all
/// see the same machine.
/// </summary>
internal static class StepTable
{
    /// <summary>The works by the name that <c>--work</c> takes; the batch of the last two is their own.</summary>
    public static IReadOnlyList<string> Works { get; } = ["train", "infer", "pgd16", "pgd128"];

    public static void Print(int threads, int batch, int rounds, bool peer, IEnumerable<string> works)
    {
        Say($"{threads} threads, PreActResNet-18, f32, {rounds} interleaved rounds after 2 to warm up; load average {LoadAverage()}");
        foreach (string work in works)
        {
            bool attacks = work.StartsWith("pgd", StringComparison.Ordinal);
            Measure(attacks ? "pgd" : work, threads, attacks ? int.Parse(work.AsSpan(3), CultureInfo.InvariantCulture) : batch, rounds, peer);
        }
    }

    private static void Measure(string work, int threads, int batch, int rounds, bool compare)
    {
        var peers = new List<(string Name, bool Tuned, PeerProcess Process, Samples Samples)>();
        try
        {
            foreach (bool torchSharp in PeerProcess.HasTorchSharp ? new[] { false, true } : [false])
            {
                foreach (var (name, layout, settings) in compare ? PeerProcess.Variants : [])
                {
                    string[] arguments = [work, $"{threads}", $"{batch}", layout];
                    var process = torchSharp
                        ? PeerProcess.StartTorchSharp(arguments, settings, out string problem)
                        : PeerProcess.Start("pytorch_step.py", arguments, settings, out problem);
                    if (process is null)
                    {
                        Say(problem);
                        break;
                    }
                    peers.Add(($"{process.Version} {name}", settings.Count > 0, process, new Samples()));
                }
            }
            ProcessMemory.ResetPeak();
            using var backend = new CpuBackend(threads);
            using var workload = new StepWorkload(OptionsOf(work, batch), backend);
            var step = workload.StepOf(work);
            var ours = new Samples();
            double operations = 0, peak = 0;
            var load = new ForeignLoad(() => peers.Aggregate(Environment.CpuUsage.TotalTime, (sum, peer) => sum + peer.Process.ProcessorTime));
            for (int round = -2; round < rounds; round++)
            {
                peak = Math.Max(peak, PeakFlops.Measure(threads).ByClock);
                double before = workload.Operations;
                long begin = Stopwatch.GetTimestamp();
                step();
                double milliseconds = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
                operations = workload.Operations - before;
                if (round >= 0)
                    ours.Add(milliseconds);
                foreach (var (_, _, process, samples) in peers)
                {
                    double theirs = process.Round();
                    if (round >= 0)
                        samples.Add(theirs);
                }
            }
            Print(work, batch, ours, operations, peak, load.Share, backend.Memory.PeakBytes, peers);
        }
        finally
        {
            foreach (var peer in peers)
                peer.Process.Dispose();
        }
    }

    private static void Print(
        string work, int batch, Samples ours, double operations, double peak, double foreign, long backendPeak,
        List<(string Name, bool Tuned, PeerProcess Process, Samples Samples)> peers)
    {
        double limit = operations / peak * 1e3;
        Say($"\n{work}, batch {batch}: {operations / 1e9:F1} GFLOP of layers at a measured peak of {peak / 1e9:F1} GFLOP/s take {limit:F0} ms: "
            + $"direct limit {1e3 * batch / limit:F1} images/s, reached {limit / ours.Median:P0}");
        Say($"other processes took {foreign:P0} of the processors{(foreign > 0.05 ? ": the machine is not quiet, repeat before comparing" : "")}");
        Say($"{"",-44} {"ms, median",10}  {"images/s (slowest-fastest)",-28} {"peak memory",12}  ratio");
        Say($"{"ours",-44} {ours.Median,10:F1}  {ours.Rate(batch),-28} {Mebibytes(ProcessMemory.Peak),12}  (backend {Mebibytes(backendPeak)})");
        foreach (var (name, _, process, samples) in peers)
            Say($"{name,-44} {samples.Median,10:F1}  {samples.Rate(batch),-28} {Mebibytes(process.PeakMemory()),12}  {samples.Median / ours.Median:F2}");
        foreach (bool tuned in peers.Select(p => p.Tuned).Distinct())
        {
            var best = peers.Where(p => p.Tuned == tuned).MinBy(p => p.Samples.Median);
            Say($"ours to the best {(tuned ? "tuned" : "stock")} peer ({best.Name}): {best.Samples.Median / ours.Median:F2}");
        }
    }

    /// <summary>The options whose step is measured.</summary>
    public static TrainOptions OptionsOf(string work, int batch) => StepWorkload.OptionsOf(work, "preact-resnet18", batch);

    private static string LoadAverage() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F0} MiB");

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static void Say(string text) => Console.WriteLine(text);
}
