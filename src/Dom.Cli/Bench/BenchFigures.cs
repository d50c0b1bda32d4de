using System.Globalization;

namespace Dom.Cli.Bench;

/// <summary>What <c>dom bench</c> measured, as <c>--json</c> prints it: operations and bytes per second, medians.</summary>
internal sealed record BenchFigures(
    string Processor, int Cores, int SimdBits, int Threads, double PeakFlops, double CopyBandwidth, double StreamingCopyBandwidth,
    ConvolutionFigure[] Convolution, NetworkFigure[] Networks)
{
    /// <summary>The same for people.</summary>
    public override string ToString()
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        text.WriteLine($"{Processor}, {Cores} {(Cores == 1 ? "core" : "cores")}, SIMD of {SimdBits} bits; measured on {Threads} {(Threads == 1 ? "thread" : "threads")}");
        text.WriteLine(Text($"peak       {PeakFlops / 1e9:0.0} GFLOP/s (f32 multiply-add)"));
        text.WriteLine(Text($"bandwidth  {CopyBandwidth / 1e9:0.0} GB/s copied, {StreamingCopyBandwidth / 1e9:0.0} GB/s past the caches"));
        text.WriteLine();
        text.WriteLine($"convolution {Convolution[0].Shape}");
        var convolution = new TextTable("<pass", "ms", "GFLOP/s", "of the peak");
        foreach (var figure in Convolution)
            convolution.Add(figure.Pass, Text($"{figure.Seconds * 1e3:0.00}"), Text($"{figure.FlopsPerSecond / 1e9:0.0}"), Text($"{figure.ShareOfPeak * 100:0} %"));
        text.WriteLine(convolution);
        var networks = new TextTable("<network, 32x32 images", "<", "batch", "ms", "images/s");
        foreach (var figure in Networks)
            networks.Add(figure.Model, figure.Work, Text($"{figure.Batch}"), Text($"{figure.Seconds * 1e3:0.0}"), Text($"{figure.ImagesPerSecond:0.0}"));
        text.Write(networks);
        return text.ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A pass of the convolution. The share can be above 1: taps on padding are counted but not computed, and some methods need fewer operations.</summary>
internal sealed record ConvolutionFigure(string Pass, string Shape, double Seconds, double FlopsPerSecond, double ShareOfPeak);

/// <summary>A step of a network.</summary>
internal sealed record NetworkFigure(string Model, string Work, int Batch, double Seconds, double ImagesPerSecond);
