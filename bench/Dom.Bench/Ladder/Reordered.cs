using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>The sums of all output channels of a pixel grow side by side: no addition waits for its neighbor.</summary>
/// <remarks>
/// With <see cref="ScalarSums"/> the limit is the number of instructions, with <see cref="VectorSums"/> the way of the
/// sums through memory. All weights, 9 C K floats (576 KiB for 128 channels), pass by for each pixel.
/// </remarks>
internal static unsafe class Reordered<TSums> where TSums : struct, IPanelSums
{
    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int threads)
    {
        using var operands = new Operands(sizes, x, weight, panel: sizes.Outputs);
        using var bordered = operands.NewImage();
        new Span<float>(y, sizes.Batch * operands.OutputImage).Clear();
        for (int n = 0; n < sizes.Batch; n++)
        {
            float* image = operands.AddBorder(n, bordered), sums = y + n * operands.OutputImage;
            for (int p = 0; p < sizes.Height; p++)
                for (int q = 0; q < sizes.Width; q++, sums += sizes.Outputs)
                    for (int r = 0; r < 3; r++)
                        TSums.Add(
                            image + (p + r) * operands.RowPitch + q * sizes.Inputs,
                            operands.Panels + r * operands.Run * sizes.Outputs, operands.Run, sums, sizes.Outputs);
        }
    }
}
