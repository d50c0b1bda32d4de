using System.Globalization;
using Dom.Kernels.Cpu;
using Dom.Tensors.Ops;

namespace Dom.Bench;

/// <summary>
/// Every convolution of PreActResNet-18 and WideResNet-34-10, pass by pass, ours as <c>auto</c> chooses beside
/// PyTorch's in four variants: in each round each takes its turn, so that all see the same machine. Prints markdown.
/// </summary>
/// <remarks>
/// A sample is the mean of as many calls as fill 30 ms, after 10 ms of calls that are not timed: they wake the threads
/// and give the system time to put them on cores of their own. OpenMP's threads spin for up to 5 ms after their work
/// before they sleep; its settings are left alone, for a peer whose threads sleep at once (OMP_WAIT_POLICY=passive)
/// takes 1.1 to 2.5 times as long for small convolutions. Instead nobody starts before the peer's threads have come to
/// rest. Ours spin for about a tenth of a millisecond.
/// </remarks>
internal static class Conv2dPeerTable
{
    private const double WarmSeconds = 0.01, SampleSeconds = 0.03, BarOf3x3 = 1.7, BarOfOthers = 1.0;
    private const int MillisecondsToRest = 25;

    private sealed record Row(Conv2dSizes Sizes, string Name, double Ratio)
    {
        public bool IsUnit3x3 => Sizes is { KernelHeight: 3, KernelWidth: 3, Stride: 1 };
    }

    public static int Print(int threads, int rounds, string only)
    {
        var peers = new List<(string Name, PeerProcess Process)>();
        try
        {
            foreach (var (name, layout, settings) in PeerProcess.Variants)
            {
                string[] arguments = [$"{threads}", layout];
                if (PeerProcess.Start("pytorch_conv.py", arguments, settings, out string problem) is not { } process)
                {
                    Console.Error.WriteLine(problem);
                    return 1;
                }
                peers.Add((name, process));
            }
            using var backend = new CpuBackend(threads);
            var load = new ForeignLoad(() => peers.Aggregate(
                Environment.CpuUsage.TotalTime, (sum, peer) => sum + peer.Process.ProcessorTime));
            var chosen = Conv2dCase.Networks.Where(
                c => $"{c.Network} {Conv2dCase.Name(c.Sizes)}".Contains(only, StringComparison.Ordinal));
            Say($"{threads} threads, f32, {rounds} interleaved rounds; ms: median (fastest-slowest); GFLOP/s count the taps on");
            Say($"padding and, for Winograd, the products it saves. Peer: {peers[0].Process.Version}, the variant of {peers.Count}");
            Say("with the least median; the last column is the ratio of the fastest rounds, of any variant.\n");
            Say("| network, batch | shape | pass | ours, ms | GFLOP/s | peak | peer, ms | variant | ratio | fastest |");
            Say("|---|---|---|---|---|---|---|---|---|---|");
            var rows = chosen.SelectMany(c => Measure(c.Network, c.Sizes, backend, peers, rounds)).ToArray();
            Say($"\nOther processes took {load.Share:P0} of the processors.");
            Judge("3x3, stride 1", [.. rows.Where(row => row.IsUnit3x3)], BarOf3x3);
            var inner = rows.Where(row => row.IsUnit3x3 && row.Sizes.Inputs > 3);
            Judge("3x3, stride 1, without the stems", [.. inner], BarOf3x3);
            Judge("all others", [.. rows.Where(row => !row.IsUnit3x3)], BarOfOthers);
            return 0;
        }
        finally
        {
            foreach (var (_, process) in peers)
                process.Dispose();
        }
    }

    /// <summary>Measures the three passes of a convolution and prints a row for each.</summary>
    private static List<Row> Measure(
        string network, Conv2dSizes sizes, CpuBackend backend, List<(string Name, PeerProcess Process)> peers, int rounds)
    {
        using var problem = new Conv2dCase(sizes);
        foreach (var (_, process) in peers)
            process.SetShape(sizes);
        var passes = Enum.GetValues<Conv2dPass>();
        var ours = Array.ConvertAll(passes, _ => new Samples());
        var theirs = Array.ConvertAll(passes, _ => peers.ConvertAll(_ => new Samples()));
        double peak = 0;
        for (int round = -1; round < rounds; round++) // the first is not counted: plans and memory are made in it
        {
            peak = Math.Max(peak, PeakFlops.Measure(backend.Threads).ByClock);
            for (int i = 0; i < passes.Length; i++)
            {
                var pass = passes[i];
                double milliseconds = Samples.OfCall(() => problem.Run(backend, pass), WarmSeconds, SampleSeconds);
                if (round >= 0)
                    ours[i].Add(milliseconds);
                for (int j = 0; j < peers.Count; j++)
                {
                    milliseconds = peers[j].Process.Sample(pass, WarmSeconds, SampleSeconds);
                    if (round >= 0)
                        theirs[i][j].Add(milliseconds);
                    Thread.Sleep(MillisecondsToRest);
                }
            }
        }
        var rows = new List<Row>();
        for (int i = 0; i < passes.Length; i++)
        {
            var (best, peer) = theirs[i].Zip(peers).MinBy(pair => pair.First.Median);
            double rate = sizes.Operations / ours[i].Median / 1e6, ratio = best.Median / ours[i].Median;
            double ratioOfFastest = theirs[i].Min(samples => samples.Min) / ours[i].Min;
            Say($"| {network}, {sizes.Batch} | {Conv2dCase.Name(sizes)} | {passes[i]} | {ours[i].Times} | {rate:F0} "
                + $"| {peak / 1e9:F0} | {best.Times} | {peer.Name} | {ratio:F2} | {ratioOfFastest:F2} |");
            rows.Add(new Row(sizes, $"{Conv2dCase.Name(sizes)} {passes[i]}", ratio));
        }
        return rows;
    }

    private static void Judge(string group, Row[] rows, double bar)
    {
        if (rows.Length == 0)
            return;
        var least = rows.MinBy(row => row.Ratio)!;
        string[] below =
            [.. rows.Where(row => row.Ratio < bar).OrderBy(row => row.Ratio).Select(row => $"{row.Name} {F(row.Ratio)}")];
        Say($"{group}: smallest ratio {least.Ratio:F2} ({least.Name}), bar {bar:F1}: {below.Length} of {rows.Length} "
            + $"below{(below.Length == 0 ? "" : $": {string.Join(", ", below)}")}");
    }

    private static string F(double value) => value.ToString("F2", CultureInfo.InvariantCulture);

    private static void Say(string text) => Console.WriteLine(text);
}
