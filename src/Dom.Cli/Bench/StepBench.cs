using System.Diagnostics;
using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Train.Measurement;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Cli.Bench;

/// <summary>Which steps are measured, and how long.</summary>
internal sealed record StepBenchPlan
{
    /// <summary>Name of the network.</summary>
    public string Model { get; init; } = "preact-resnet18";

    /// <summary>Type of the activations.</summary>
    public Precision Precision { get; init; } = Precision.F32;

    /// <summary>Some of <see cref="StepWorkload.Works"/>.</summary>
    public IReadOnlyList<string> Works { get; init; } = ["train", "infer"];

    /// <summary>Images in a step.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [128];

    /// <summary>Steps of each work and batch after those to warm up; null for as many as fill <see cref="Seconds"/>.</summary>
    public int? Rounds { get; init; }

    /// <summary>Seconds for each work and batch once it is warm, at least.</summary>
    public double Seconds { get; init; } = 2;

    /// <summary>Whether the kernel calls of a step are measured one by one.</summary>
    public bool Calls { get; init; }

    /// <summary>Multiplications and additions a second that somebody else reached on the device; 0 for none.</summary>
    public double Peak { get; init; }

    /// <summary>How long a call is repeated for one of its five samples.</summary>
    public double SecondsPerCall { get; init; } = 0.005;

    /// <summary>How long the largest copy and the largest matrix product may take when ceilings are measured.</summary>
    public double Patience { get; init; } = 0.05;
}

/// <summary>The benchmark of a network on any device: whole steps as training does them and, if asked for, every kernel call of a step beside the device's ceilings.</summary>
internal sealed class StepBench(IBackend backend, StepBenchPlan plan, Action<string> progress)
{
    private const int WarmUpSteps = 5, FewestRounds = 3, WarmUpStepsOfCalls = 2;

    /// <summary>Measures everything.</summary>
    public StepBenchFigures Run()
    {
        PrecisionSupport.Require(plan.Precision, backend);
        Ceilings? ceilings = null;
        if (plan.Calls)
        {
            progress("ceilings of the device");
            ceilings = Ceilings.Measure(backend, plan.Precision == Precision.BF16 ? DType.BF16 : DType.F32, plan.Peak, plan.Patience);
            backend.Memory.EmptyCache();
        }
        var works = plan.Batches.SelectMany(batch => plan.Works.Select(work => (Work: work, Batch: batch))).ToArray();
        var steps = works.Select(w => Step(w.Work, w.Batch)).ToArray();
        var calls = ceilings is null ? null : steps.Select(step => Calls(step, ceilings)).ToArray();
        return new StepBenchFigures(backend.Name, Machine.ProcessorName, Machine.Cores, plan.Model, OptionTexts.NameOf(plan.Precision), steps, ceilings, calls);
    }

    private StepFigure Step(string work, int batch)
    {
        progress($"{StepBenchFigures.NameOf(work)}, batch {batch}");
        backend.Memory.ResetPeak();
        using var workload = new StepWorkload(StepWorkload.OptionsOf(work, plan.Model, batch, plan.Precision), backend);
        var step = workload.StepOf(work);
        for (int i = 0; i < WarmUpSteps; i++)
            step();
        int before = workload.Calls;
        step();
        int calls = workload.Calls - before;
        backend.Synchronize();
        long begin = Stopwatch.GetTimestamp();
        // A device that works behind the host is given one step in advance, as in training: each round then queues a step and waits for the one before it. The
        // time of all of them, that one included, begins and ends with nothing under way.
        step();
        var taken = Durations.Measure(step, plan.Rounds is null ? plan.Seconds : 0, plan.Rounds ?? FewestRounds, plan.Rounds ?? int.MaxValue);
        backend.Synchronize();
        double mean = Stopwatch.GetElapsedTime(begin).TotalSeconds / (taken.Count + 1);
        return new StepFigure(
            work, batch, taken.Count, 1e3 * taken.Median, 1e3 * taken.Fastest, 1e3 * taken.Slowest, 1e3 * mean, batch / taken.Median, calls,
            backend.Memory.PeakBytes);
    }

    private CallsFigure Calls(StepFigure measured, Ceilings ceilings)
    {
        progress($"kernel calls of {StepBenchFigures.NameOf(measured.Work)}, batch {measured.Batch}");
        var timer = new CallTimer(backend, plan.SecondsPerCall);
        using var workload = new StepWorkload(StepWorkload.OptionsOf(measured.Work, plan.Model, measured.Batch, plan.Precision), timer);
        var step = workload.StepOf(measured.Work);
        for (int i = 0; i < WarmUpStepsOfCalls; i++)
            step();
        timer.IsTiming = true;
        step();
        double sum = timer.Calls.Sum(call => call.Count * call.Seconds);
        return new CallsFigure(
            measured.Work, measured.Batch, measured.Milliseconds, 1e3 * sum, [.. timer.Calls.Select(call => Figure(call, sum, ceilings))]);
    }

    private CallFigure Figure(TimedCall call, double sum, Ceilings ceilings)
    {
        // The kernels of the CPU use Winograd's method where it pays, in f32; a matrix unit does what the formula says.
        double operations = backend.Name == "cpu" ? call.Work.FewestOperations : call.Work.DirectOperations;
        double bytesPerSecond = call.Work.Bytes / call.Seconds;
        double? flops = call.Work.DirectOperations > 0 ? call.Work.DirectOperations / call.Seconds : null;
        double arithmetic = ceilings.FlopsPerSecond > 0 ? operations / ceilings.FlopsPerSecond : 0;
        double floor = Math.Max(arithmetic, call.Work.Bytes / ceilings.BytesPerSecond);
        return new CallFigure(
            call.Work.Call, call.Work.Sizes, call.Count, 1e6 * call.Seconds, call.Count * call.Seconds / sum, bytesPerSecond,
            bytesPerSecond / ceilings.BytesPerSecond, flops, ceilings.FlopsPerSecond > 0 ? flops / ceilings.FlopsPerSecond : null, 1e6 * floor,
            floor / call.Seconds);
    }
}
