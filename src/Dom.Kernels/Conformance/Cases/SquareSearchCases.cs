using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

/// <summary>Images of attacks are f32 in any case, so these do not vary with the type of the activations.</summary>
internal static class SquareSearchCases
{
    private const float Epsilon = 8f / 255;

    public static IEnumerable<KernelCase> All()
    {
        var stream = RandomStream.For(99, RandomPurpose.Test, epoch: 3, step: 5);
        foreach (var (rows, height, width, channels) in ((int, int, int, int)[])[(1, 1, 1, 1), (3, 5, 7, 3), (4, 32, 32, 3), (2, 28, 20, 1), (2, 3, 500, 9)])
        {
            int count = rows * height * width * channels;
            yield return KernelCases.Of<SquareStripes>($"{rows}x{height}x{width}x{channels}", b => new(
                b.Parameters(count, 0, 1), b.Integers(rows, 60000), b.ParameterOutput(count), stream, rows, height, width, channels, Epsilon, 0, 1));

            int shorter = Math.Min(height, width);
            foreach (var (top, left, side) in ((int, int, int)[])[(0, 0, 1), (0, 0, shorter), (height - 1, width - 1, 1), (height / 2, width / 3, Math.Max(1, shorter / 4))])
                yield return KernelCases.Of<SquareWindow>($"{rows}x{height}x{width}x{channels}, side {side} at {top},{left}", b =>
                {
                    float[] signs = [.. Enumerable.Range(0, channels).Select(c => c % 3 == 1 ? -1f : 1f)];
                    return new(
                        b.Parameters(count, 0, 1), b.Parameters(count, 0, 1), b.ParameterValues(signs), b.ParameterOutput(count),
                        rows, height, width, channels, top, left, side, Epsilon, 0, 1);
                });
        }
    }
}
