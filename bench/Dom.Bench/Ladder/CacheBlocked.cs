using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>
/// A block of weights serves all pixels of an image before the next is touched: it stays in the first-level cache.
/// </summary>
/// <remarks>
/// Measured, it gains nothing: the caches below deliver a sequential stream as fast as these loops can use it. What they
/// wait for is inside: instructions with <see cref="ScalarSums"/>, with <see cref="VectorSums"/> each multiply-add's two
/// loads and its store.
/// </remarks>
internal static unsafe class CacheBlocked<TSums> where TSums : struct, IPanelSums
{
    private const int BlockFloats = 4096; // 32 steps of 128 outputs: 16 KiB, half of the first-level cache

    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int threads)
    {
        int most = Math.Max(1, BlockFloats / sizes.Outputs);
        using var operands = new Operands(sizes, x, weight, panel: sizes.Outputs);
        using var bordered = operands.NewImage();
        new Span<float>(y, sizes.Batch * operands.OutputImage).Clear();
        for (int n = 0; n < sizes.Batch; n++)
        {
            float* image = operands.AddBorder(n, bordered);
            for (int r = 0; r < 3; r++)
                for (int first = 0; first < operands.Run; first += most)
                {
                    int steps = Math.Min(most, operands.Run - first);
                    float* block = operands.Panels + (r * operands.Run + first) * sizes.Outputs;
                    float* sums = y + n * operands.OutputImage;
                    for (int p = 0; p < sizes.Height; p++)
                        for (int q = 0; q < sizes.Width; q++, sums += sizes.Outputs)
                            TSums.Add(
                                image + (p + r) * operands.RowPitch + q * sizes.Inputs + first, block, steps, sums,
                                sizes.Outputs);
                }
        }
    }
}
