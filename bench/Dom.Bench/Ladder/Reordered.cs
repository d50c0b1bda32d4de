using System.Runtime.CompilerServices;
using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>The sums of all output channels of a pixel grow side by side: no addition waits for its neighbor.</summary>
/// <remarks>
/// With <see cref="ScalarAxpy"/> the limit is the number of instructions, with <see cref="VectorAxpy"/> the way of the
/// sums through memory.
/// </remarks>
internal static unsafe class Reordered<TAxpy> where TAxpy : struct, IAxpy
{
    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int threads)
    {
        using var operands = new Operands(sizes, x, weight, panel: sizes.Outputs);
        using var bordered = operands.NewImage();
        for (int n = 0; n < sizes.Batch; n++)
            RunImage(sizes, operands, operands.AddBorder(n, bordered), y + n * operands.OutputImage);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunImage(Conv2dSizes sizes, Operands operands, float* x, float* y)
    {
        int inputs = sizes.Inputs, outputs = sizes.Outputs, run = operands.Run;
        for (int p = 0; p < sizes.Height; p++)
            for (int q = 0; q < sizes.Width; q++)
            {
                float* sums = y + (p * sizes.Width + q) * outputs;
                new Span<float>(sums, outputs).Clear();
                for (int r = 0; r < 3; r++)
                {
                    float* from = x + (p + r) * operands.RowPitch + q * inputs;
                    float* panel = operands.Panels + r * run * outputs;
                    for (int step = 0; step < run; step++, panel += outputs)
                        TAxpy.Add(from[step], panel, sums, outputs);
                }
            }
    }
}
