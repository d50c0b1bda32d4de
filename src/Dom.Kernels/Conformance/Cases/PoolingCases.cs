using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class PoolingCases
{
    // Batch, height, width, channels, kernel height, kernel width, stride, padding.
    private static readonly Pool2dSizes[] s_sizes =
    [
        new(1, 1, 1, 1, 1, 1, 1, 0), new(2, 4, 4, 3, 2, 2, 2, 0), new(2, 7, 5, 17, 3, 3, 2, 1), new(1, 8, 8, 64, 4, 4, 4, 0),
        new(3, 9, 6, 5, 3, 2, 1, 1), new(2, 5, 5, 8, 2, 2, 3, 0), new(1, 12, 11, 33, 5, 5, 2, 2), new(2, 6, 6, 4, 1, 1, 2, 0),
    ];

    public static IEnumerable<KernelCase> All()
    {
        foreach (var s in s_sizes)
        {
            string label = $"[{s.Batch},{s.Height},{s.Width},{s.Channels}], {s.KernelHeight}x{s.KernelWidth}, stride {s.Stride}, padding {s.Padding}";
            int x = s.Batch * s.Height * s.Width * s.Channels, y = s.OutputShape.Count;
            yield return KernelCases.Of<AvgPool2dForward>(label, b => new(b.Random(x), b.Output(y), s));
            yield return KernelCases.Of<AvgPool2dBackward>(label, b => new(b.Random(y), b.Output(x), s));
            yield return KernelCases.Of<MaxPool2dForward>(label, b => new(b.Random(x, -3, -1), b.Output(y), b.IntegerOutput(y), s), 0);
            yield return KernelCases.Of<MaxPool2dForward>($"{label}, ties", b => new(b.Values(Repeating(x, 0, 1, -1)), b.Output(y), b.IntegerOutput(y), s), 0);
            yield return KernelCases.Of<MaxPool2dForward>($"{label}, special values", b => new(
                b.Values(Repeating(x, float.NegativeInfinity, 0, float.NaN, -0f, float.NegativeInfinity, float.PositiveInfinity, -1)),
                b.Output(y), b.IntegerOutput(y), s), 0);
            yield return KernelCases.Of<MaxPool2dBackward>(label, b => new(b.Random(y), b.Integers(Winners(s)), b.Output(x), s));
        }
        foreach (var (batch, pixels, channels) in ((int, int, int)[])[(1, 1, 1), (3, 16, 512), (2, 49, 33), (5, 1024, 7), (2, 64, 640)])
        {
            string label = $"{batch} x {pixels} pixels x {channels}";
            int x = batch * pixels * channels, y = batch * channels;
            yield return KernelCases.Of<GlobalAveragePoolForward>(label, b => new(b.Random(x, -1, 2), b.Output(y), batch, pixels, channels), 2e-6);
            yield return KernelCases.Of<GlobalAveragePoolBackward>(label, b => new(b.Random(y), b.Output(x), batch, pixels, channels));
        }
    }

    /// <summary>The values over and over, shifted a little every round, so that the windows differ.</summary>
    private static float[] Repeating(int count, params float[] values) =>
        Enumerable.Range(0, count).Select(i => values[(i + i / 5 + i / 31) % values.Length]).ToArray();

    /// <summary>A pixel of its window for every output.</summary>
    private static int[] Winners(Pool2dSizes s)
    {
        var winners = new int[s.OutputShape.Count];
        for (int i = 0; i < winners.Length; i++)
        {
            int q = i / s.Channels % s.OutputWidth, p = i / s.Channels / s.OutputWidth % s.OutputHeight;
            int height = s.EndRow(p) - s.FirstRow(p), width = s.EndColumn(q) - s.FirstColumn(q), choice = i * 7 % (height * width);
            winners[i] = (s.FirstRow(p) + choice / width) * s.Width + s.FirstColumn(q) + choice % width;
        }
        return winners;
    }
}
