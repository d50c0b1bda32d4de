using System.Runtime.CompilerServices;
using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>
/// A block of weights serves all pixels of an image before the next block is touched: it stays in the first-level
/// cache.
/// </summary>
/// <remarks>
/// The price: the sums of a pixel are fetched once for each block, 2 x 4 K bytes of traffic for 4 K <see cref="Steps"/>
/// bytes of weights. What remains is the loop itself: each multiply-add loads its sum and stores it again.
/// </remarks>
internal static unsafe class CacheBlocked<TAxpy> where TAxpy : struct, IAxpy
{
    private const int Steps = 32; // 32 steps of 128 outputs: 16 KiB, half of the first-level cache

    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int threads)
    {
        using var operands = new Operands(sizes, x, weight, panel: sizes.Outputs);
        using var bordered = operands.NewImage();
        new Span<float>(y, sizes.Batch * operands.OutputImage).Clear();
        for (int n = 0; n < sizes.Batch; n++)
        {
            float* image = operands.AddBorder(n, bordered);
            for (int r = 0; r < 3; r++)
                for (int first = 0; first < operands.Run; first += Steps)
                    AddBlock(
                        sizes, operands, image + r * operands.RowPitch + first,
                        operands.Panels + (r * operands.Run + first) * sizes.Outputs,
                        Math.Min(Steps, operands.Run - first), y + n * operands.OutputImage);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddBlock(Conv2dSizes sizes, Operands operands, float* x, float* block, int steps, float* y)
    {
        int inputs = sizes.Inputs, outputs = sizes.Outputs;
        for (int p = 0; p < sizes.Height; p++)
            for (int q = 0; q < sizes.Width; q++)
            {
                float* from = x + p * operands.RowPitch + q * inputs, panel = block;
                float* sums = y + (p * sizes.Width + q) * outputs;
                for (int step = 0; step < steps; step++, panel += outputs)
                    TAxpy.Add(from[step], panel, sums, outputs);
            }
    }
}
