using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Dom.Kernels.Cpu;
using Dom.Tensors.Ops;

namespace Dom.Bench;

/// <summary>Every pass of every convolution of PreActResNet-18 and of a small network, on one thread and on all.</summary>
[InProcess]
[Config(typeof(RateColumns))]
public class Conv2dBenchmark : IDisposable
{
    private CpuBackend? _backend;
    private Conv2dCase? _problem;

    /// <summary>Names of the convolutions.</summary>
    public static IEnumerable<string> Shapes => Conv2dCase.Shapes.Select(Conv2dCase.Name);

    /// <summary>The convolution.</summary>
    [ParamsSource(nameof(Shapes))]
    public string Shape { get; set; } = "";

    /// <summary>The pass.</summary>
    [ParamsAllValues]
    public Conv2dPass Pass { get; set; }

    /// <summary>Threads; 0 is all cores.</summary>
    [Params(1, 0)]
    public int Threads { get; set; }

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _backend = new CpuBackend(Threads);
        _problem = new Conv2dCase(SizesOf(Shape));
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _problem?.Dispose();
        _backend?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>One call.</summary>
    [Benchmark]
    public void Convolution() => _problem!.Run(_backend!, Pass);

    private static Conv2dSizes SizesOf(string name) => Conv2dCase.Shapes.First(sizes => Conv2dCase.Name(sizes) == name);

    private sealed class RateColumns : ManualConfig
    {
        public RateColumns() => AddColumn(new RateColumn());
    }

    private sealed class RateColumn : IColumn
    {
        public string Id => "GFLOP/s";

        public string ColumnName => "GFLOP/s";

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Custom;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public string Legend => "10^9 multiplications and additions per second, taps on padding counted";

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            var statistics = summary[benchmarkCase]?.ResultStatistics;
            string shape = (string)benchmarkCase.Parameters[nameof(Shape)];
            return statistics is null ? "-" : $"{SizesOf(shape).Operations / statistics.Median:F1}"; // operations per ns
        }

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);
    }
}
