using BenchmarkDotNet.Attributes;
using Dom.Kernels.Cpu;
using Dom.Train.Measurement;

namespace Dom.Bench;

/// <summary>PreActResNet-18 as a whole, on one thread and on all: training step, inference, PGD-10 step.</summary>
[InProcess]
public class StepBenchmark : IDisposable
{
    private CpuBackend? _backend;
    private StepWorkload? _workload;

    /// <summary>"train", "infer" or "pgd".</summary>
    [Params("train", "infer", "pgd")]
    public string Work { get; set; } = "train";

    /// <summary>Images in a step.</summary>
    [Params(16, 128)]
    public int Batch { get; set; }

    /// <summary>Threads; 0 is all cores.</summary>
    [Params(1, 0)]
    public int Threads { get; set; }

    /// <summary>Makes the network.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _backend = new CpuBackend(Threads);
        _workload = new StepWorkload(StepTable.OptionsOf(Work, Batch), _backend);
    }

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _workload?.Dispose();
        _backend?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>One step.</summary>
    [Benchmark]
    public void Step() => _workload!.StepOf(Work)();
}
