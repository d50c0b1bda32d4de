using System.Globalization;

namespace Dom.Cli.Bench;

/// <summary>What <c>dom bench</c> measured of a network on a device, as <c>--json</c> prints it.</summary>
internal sealed record StepBenchFigures(
    string Device, string Processor, int Cores, string Model, string Precision, StepFigure[] Steps, Ceilings? Ceilings, CallsFigure[]? Calls)
{
    /// <summary>A work as people call it.</summary>
    public static string NameOf(string work) => work switch { "train" => "training step", "infer" => "inference", _ => "PGD-10 training step" };

    /// <summary>The same for people.</summary>
    public override string ToString()
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        text.WriteLine($"{Device}, {Model}, 32x32 images, {Precision}; host: {Processor}, {Cores} {(Cores == 1 ? "core" : "cores")}");
        text.WriteLine("As in training, the losses of a step are read when the next one is queued, where the device works behind the host; in inference a step ends when its");
        text.WriteLine("logits have reached the host. All / n is the time from nothing under way to nothing under way.");
        text.WriteLine();
        var steps = new TextTable("<work", "batch", "ms, median", "fastest", "slowest", "all / n", "n", "images/s", "calls", "peak memory");
        foreach (var s in Steps)
        {
            steps.Add(
                NameOf(s.Work), Text($"{s.Batch}"), Text($"{s.Milliseconds:0.000}"), Text($"{s.FastestMilliseconds:0.000}"), Text($"{s.SlowestMilliseconds:0.000}"),
                Text($"{s.MeanMilliseconds:0.000}"), Text($"{s.Rounds}"), Text($"{s.ImagesPerSecond:0.0}"), Text($"{s.KernelCalls}"),
                Text($"{s.PeakMemoryBytes / 1048576.0:0} MiB"));
        }
        text.Write(steps);
        if (Ceilings is not { } ceilings || Calls is null)
            return text.ToString();
        text.WriteLine();
        text.WriteLine(ceilings.FlopsPerSecond > 0
            ? Text($"peak       {Tera(ceilings.FlopsPerSecond)} TFLOP/s ({ceilings.PeakSource})")
            : $"peak       {ceilings.PeakSource}");
        text.WriteLine(Text($"bandwidth  {ceilings.BytesPerSecond / 1e9:0.0} GB/s, read and written ({ceilings.BandwidthSource})"));
        text.WriteLine("Each kind of call is repeated in a row on the same operands, so small operands may be in a cache, and a call of a few µs may show how fast calls");
        text.WriteLine("can be queued. GB/s counts every operand once, and twice where it is updated; TFLOP/s leaves out taps on padding. The floor is the longer of");
        text.WriteLine("operations at the peak and bytes at the bandwidth.");
        foreach (var calls in Calls)
            calls.WriteTo(text);
        return text.ToString();
    }

    /// <summary>A rate in 10^12, with the digits that a small one needs: "612.0", "0.1432".</summary>
    internal static string Tera(double rate) => rate < 1e12 ? Text($"{rate / 1e12:0.0000}") : Text($"{rate / 1e12:0.0}");

    internal static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Steps of a work. The mean is the time of all steps until the device had done them, by their number.</summary>
internal sealed record StepFigure(
    string Work, int Batch, int Rounds, double Milliseconds, double FastestMilliseconds, double SlowestMilliseconds, double MeanMilliseconds,
    double ImagesPerSecond, int KernelCalls, long PeakMemoryBytes);

/// <summary>The kernel calls of a step, those that take most of it first.</summary>
internal sealed record CallsFigure(string Work, int Batch, double StepMilliseconds, double SumMilliseconds, CallFigure[] Calls)
{
    /// <summary>The same for people.</summary>
    public void WriteTo(TextWriter text)
    {
        text.WriteLine();
        text.WriteLine($"{StepBenchFigures.NameOf(Work)}, batch {Batch}");
        var table = new TextTable("<call", "<sizes", "calls", "µs", "ms in a step", "share", "GB/s", "of the bandwidth", "TFLOP/s", "of the peak", "floor / time");
        foreach (var c in Calls)
        {
            table.Add(
                c.Call, c.Sizes, Text($"{c.Count}"), Text($"{c.Microseconds:0.0}"), Text($"{c.Count * c.Microseconds / 1e3:0.000}"), Text($"{c.ShareOfSum * 100:0.0} %"),
                Text($"{c.BytesPerSecond / 1e9:0}"), Text($"{c.ShareOfBandwidth * 100:0} %"), c.FlopsPerSecond is { } flops ? StepBenchFigures.Tera(flops) : "",
                c.ShareOfPeak is { } share ? Text($"{share * 100:0} %") : "", Text($"{c.FloorOverTime * 100:0} %"));
        }
        double floor = Calls.Sum(call => call.Count * call.FloorMicroseconds) / 1e3;
        table.Add("all", "", Text($"{Calls.Sum(c => c.Count)}"), "", Text($"{SumMilliseconds:0.000}"), "", "", "", "", "", Text($"{floor / SumMilliseconds * 100:0} %"));
        text.Write(table);
        text.WriteLine(Text($"the whole step takes {StepMilliseconds:0.000} ms, {StepMilliseconds / SumMilliseconds:0.00} of the sum; all floors together {floor:0.000} ms"));
    }

    private static string Text(FormattableString text) => StepBenchFigures.Text(text);
}

/// <summary>Calls of one kind and size; times are those of one call.</summary>
internal sealed record CallFigure(
    string Call, string Sizes, int Count, double Microseconds, double ShareOfSum, double BytesPerSecond, double ShareOfBandwidth, double? FlopsPerSecond,
    double? ShareOfPeak, double FloorMicroseconds, double FloorOverTime);
