using BenchmarkDotNet.Attributes;
using Dom.Kernels.Cpu;
using Dom.Tensors;

namespace Dom.Bench;

/// <summary>The kernels between the convolutions, on one thread and on all.</summary>
[InProcess]
public class ElementwiseBenchmark : IDisposable
{
    private CpuBackend? _backend;
    private TensorScope? _scope;
    private ElementwiseCase? _case;

    /// <summary>Names of the kernels.</summary>
    public static IEnumerable<string> Names => ElementwiseCase.Names;

    /// <summary>The kernel.</summary>
    [ParamsSource(nameof(Names))]
    public string Name { get; set; } = "";

    /// <summary>Threads; 0 is all cores.</summary>
    [Params(1, 0)]
    public int Threads { get; set; }

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _backend = new CpuBackend(Threads);
        _scope = new TensorScope();
        _case = ElementwiseCase.Create(_backend).Single(c => c.Name == Name);
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _scope?.Dispose();
        _backend?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>One call.</summary>
    [Benchmark]
    public void Kernel() => _case!.Run();
}
