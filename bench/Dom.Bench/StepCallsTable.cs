using System.Diagnostics;
using System.Globalization;
using Dom.Kernels.Cpu;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Measurement;

namespace Dom.Bench;

/// <summary>
/// Where the time of a step goes: every kind of kernel call beside its floor, which is the longer of its operations at the
/// measured peak and its bytes at the measured bandwidth.
/// </summary>
/// <remarks>
/// Operations are the fewest of <see cref="CallWork"/>: Winograd's method where it pays. Calls are timed where they stand in the step, with what the caches
/// hold there; <c>dom bench --calls</c> repeats each instead, which also works where calls are queued.
/// </remarks>
internal static class StepCallsTable
{
    public static void Print(string work, int threads, int batch, int rounds)
    {
        using var cpu = new CpuBackend(threads);
        var timer = new CallTimer(cpu);
        using var workload = new StepWorkload(StepTable.OptionsOf(work, batch), timer);
        var step = workload.StepOf(work);
        var steps = new Samples();
        var calls = new List<IReadOnlyList<Call>>();
        double peak = 0, bandwidth = 0;
        for (int round = -2; round < rounds; round++)
        {
            peak = Math.Max(peak, PeakFlops.Measure(threads).ByClock);
            bandwidth = Math.Max(bandwidth, MemoryBandwidth.Measure(threads, rounds: 2).Limit);
            timer.Calls.Clear();
            long begin = Stopwatch.GetTimestamp();
            step();
            if (round < 0)
                continue;
            steps.Add(Stopwatch.GetElapsedTime(begin).TotalMilliseconds);
            calls.Add([.. timer.Calls]);
        }
        var rows = Enumerable.Range(0, calls[0].Count)
            .Select(i => (calls[0][i].Name, Ms: calls.Select(c => c[i].Milliseconds).Order().ElementAt(rounds / 2), Floor: FloorOf(calls[0][i])))
            .GroupBy(row => row.Name)
            .Select(g => (Name: g.Key, Count: g.Count(), Ms: g.Sum(row => row.Ms), Floor: g.Sum(row => row.Floor)))
            .OrderByDescending(row => row.Ms)
            .ToArray();
        Say($"{work}, batch {batch}, {threads} threads, f32, n = {rounds}: step {steps.Median:F0} ms ({steps.Min:F0}-{steps.Max:F0}); sums of medians; peak {peak / 1e9:F0} GFLOP/s, {bandwidth / 1e9:F0} GB/s\n");
        Say($"| call | calls | ms | floor, ms | above the floor, ms | floor / ms |");
        Say($"|---|---|---|---|---|---|");
        foreach (var row in rows)
            Say($"| {row.Name} | {row.Count} | {row.Ms:F1} | {row.Floor:F1} | {row.Ms - row.Floor:F1} | {row.Floor / row.Ms:P0} |");
        double sum = rows.Sum(row => row.Ms), floor = rows.Sum(row => row.Floor);
        Say($"| all | {calls[0].Count} | {sum:F1} | {floor:F1} | {sum - floor:F1} | {floor / sum:P0} |");

        double FloorOf(Call call) => 1e3 * Math.Max(call.Operations / peak, call.Bytes / bandwidth);
    }

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private sealed record Call(string Name, double Milliseconds, double Operations, double Bytes);

    /// <summary>Times every call and notes what it has to do.</summary>
    private sealed class CallTimer(IBackend inner) : DecoratingBackend(inner)
    {
        public List<Call> Calls { get; } = [];

        public override void Run<TCall>(in TCall call)
        {
            NextCall();
            long begin = Stopwatch.GetTimestamp();
            Inner.Run(in call);
            double milliseconds = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            var work = CallWork.Of(in call);
            string name = work.DirectOperations > 0 && call is not Gemm ? $"{work.Call} {work.Sizes}" : work.Call;
            Calls.Add(new Call(name, milliseconds, work.FewestOperations, work.Bytes));
        }
    }
}
