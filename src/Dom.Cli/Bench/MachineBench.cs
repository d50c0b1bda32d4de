using Dom.Kernels.Cpu;
using Dom.Kernels.Measurement;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Measurement;

namespace Dom.Cli.Bench;

/// <summary>How long each part of the measurement takes.</summary>
/// <param name="SecondsPerFigure">Time spent on each figure once it is warm, at least.</param>
/// <param name="ConvolutionBatch">Images of the convolution.</param>
/// <param name="SmallBatch">Images in a step of preact-resnet8.</param>
/// <param name="LargeBatch">Images in a step of preact-resnet18.</param>
internal sealed record BenchPlan(double SecondsPerFigure = 2, int ConvolutionBatch = 32, int SmallBatch = 128, int LargeBatch = 16);

/// <summary>The short benchmark of the CPU: its ceilings, a convolution held against them, and images per second of two networks.</summary>
internal sealed class MachineBench(int threads, BenchPlan plan, Action<string> progress)
{
    private const int FewestRounds = 3;

    /// <summary>Measures everything.</summary>
    public BenchFigures Run()
    {
        using var backend = new CpuBackend(threads);
        int used = backend.Threads;
        progress("peak of the processor");
        PeakFlops.Measure(used); // compiles its loop
        double peak = Enumerable.Range(0, 5).Max(_ => PeakFlops.Measure(used).ByClock);
        progress("bandwidth of the memory");
        var bandwidth = MemoryBandwidth.Measure(used, rounds: 3);
        return new BenchFigures(
            Machine.ProcessorName, Machine.Cores, Machine.VectorBits, used, peak, bandwidth.Copy, bandwidth.StreamingCopy,
            Convolution(backend, peak),
            [.. Networks(backend, "preact-resnet8", plan.SmallBatch), .. Networks(backend, "preact-resnet18", plan.LargeBatch)]);
    }

    private ConvolutionFigure[] Convolution(CpuBackend backend, double peak)
    {
        var sizes = new Conv2dSizes(plan.ConvolutionBatch, 16, 16, 128, 128, 3, 3, 1, 1);
        using var scope = new TensorScope();
        var x = Filled.Create(Shape.Of(sizes.Batch, sizes.Height, sizes.Width, sizes.Inputs), 0.01f, backend);
        var weight = Filled.Create(Shape.Of(sizes.Outputs, 3, 3, sizes.Inputs), 0.01f, backend);
        var y = Filled.Create(Shape.Of(sizes.Batch, sizes.Height, sizes.Width, sizes.Outputs), 0.01f, backend);
        var dx = Filled.Create(x.Shape, 0, backend);
        var dweight = Filled.Create(weight.Shape, 0, backend);
        (string Pass, Action Run)[] passes =
        [
            ("forward", () => backend.Run(new Conv2dForward(x.Read, weight.Read, y.Write, sizes))),
            ("input gradient", () => backend.Run(new Conv2dInputGradient(y.Read, weight.Read, dx.Write, sizes))),
            ("weight gradient", () => backend.Run(new Conv2dWeightGradient(x.Read, y.Read, dweight.Write, sizes))),
        ];
        return [.. passes.Select(pass =>
        {
            progress($"3x3 convolution, {pass.Pass}");
            double seconds = MedianSeconds(pass.Run, plan.SecondsPerFigure / 2);
            return new ConvolutionFigure(
                pass.Pass, $"{sizes.Inputs}->{sizes.Outputs} @{sizes.Width} 3x3, batch {sizes.Batch}", seconds, sizes.Operations / seconds, sizes.Operations / seconds / peak);
        })];
    }

    private IEnumerable<NetworkFigure> Networks(CpuBackend backend, string model, int batch)
    {
        using var workload = new StepWorkload(StepWorkload.OptionsOf("train", model, batch), backend);
        foreach (var (work, run) in new (string, Action)[] { ("training step", workload.Train), ("inference", workload.Infer) })
        {
            progress($"{model}, {work}");
            double seconds = MedianSeconds(run, plan.SecondsPerFigure);
            yield return new NetworkFigure(model, work, batch, seconds, batch / seconds);
        }
    }

    private static double MedianSeconds(Action run, double seconds)
    {
        run();
        return Durations.Measure(run, seconds, FewestRounds).Median;
    }
}
