using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class NormalizeCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (rows, channels) in ((int, int)[])[(1, 1), (5, 3), (4096, 3), (20001, 1), (7, 33), (100, 512), (2, 20000)])
        {
            int count = rows * channels;
            yield return KernelCases.Of<NormalizeForward>($"{rows}x{channels}", b => new(
                b.Random(count, 0, 1), b.Parameters(channels, 0.4f, 0.6f), b.Parameters(channels, 0.1f, 0.4f), b.Output(count), rows, channels));
            yield return KernelCases.Of<NormalizeBackward>($"{rows}x{channels}", b => new(
                b.Random(count), b.Parameters(channels, 0.1f, 0.4f), b.Output(count), rows, channels));
        }
    }
}
