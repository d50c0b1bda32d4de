using System.Globalization;

namespace Dom.Cli.Bench;

/// <summary>What <c>dom bench --ladder</c> measured, as <c>--json</c> prints it.</summary>
internal sealed record LadderFigures(string Device, string Processor, MatrixSizes Size, Ceilings CeilingsF32, Ceilings CeilingsBf16, RungFigure[] Rungs)
{
    /// <summary>The same for people.</summary>
    public override string ToString()
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        text.WriteLine($"{Device}, {Size}; host: {Processor}");
        text.WriteLine($"peak f32    {Peak(CeilingsF32)}");
        text.WriteLine($"peak bf16   {Peak(CeilingsBf16)}");
        text.WriteLine(Text($"bandwidth   {CeilingsF32.BytesPerSecond / 1e9:0.0} GB/s, read and written ({CeilingsF32.BandwidthSource})"));
        text.WriteLine($"floor f32   {Floor(CeilingsF32, "f32")}");
        text.WriteLine($"floor bf16  {Floor(CeilingsBf16, "bf16")}");
        text.WriteLine();
        var table = new TextTable(
            "<rung", "<operands", "ms, median", "fastest", "slowest", "TFLOP/s", "of the peak", "GB/s at least", "largest error", "<what changes");
        foreach (var r in Rungs)
        {
            table.Add(
                r.Name, r.Operands, Text($"{r.Milliseconds:0.000}"), Text($"{r.FastestMilliseconds:0.000}"), Text($"{r.SlowestMilliseconds:0.000}"),
                StepBenchFigures.Tera(r.FlopsPerSecond), r.ShareOfPeak is { } share ? Text($"{share * 100:0.0} %") : "", Text($"{r.LeastBytesPerSecond / 1e9:0.0}"),
                Text($"{r.LargestError:0.0E+0}"), r.Idea);
        }
        text.Write(table);
        text.WriteLine("GB/s at least: each operand once and the result, by the time; what a rung moves in fact is more. Errors are differences to rung 2, which was");
        text.WriteLine("compared with sums in double precision; sums of numbers in -1 to 1. Dom.Native, bf16 rounds its result to bf16.");
        return text.ToString();
    }

    private static string Peak(Ceilings ceilings) =>
        ceilings.FlopsPerSecond > 0 ? $"{StepBenchFigures.Tera(ceilings.FlopsPerSecond)} TFLOP/s ({ceilings.PeakSource})" : ceilings.PeakSource;

    /// <summary>Of the rungs on operands of this type: the bytes are those of the first.</summary>
    private string Floor(Ceilings ceilings, string operands)
    {
        var rung = Rungs.First(r => r.Operands == operands);
        double bytes = rung.LeastBytesPerSecond * rung.Milliseconds / ceilings.BytesPerSecond;
        string operations = ceilings.FlopsPerSecond > 0 ? Text($"{rung.FlopsPerSecond * rung.Milliseconds / ceilings.FlopsPerSecond:0.000} ms of operations, ") : "";
        return operations + Text($"{bytes:0.000} ms of bytes");
    }

    private static string Text(FormattableString text) => StepBenchFigures.Text(text);
}

/// <summary>A rung, or one of the library's own products.</summary>
internal sealed record RungFigure(
    string Name, string Idea, string Operands, double Milliseconds, double FastestMilliseconds, double SlowestMilliseconds, double FlopsPerSecond,
    double? ShareOfPeak, double LeastBytesPerSecond, double LargestError);
