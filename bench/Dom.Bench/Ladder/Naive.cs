using System.Runtime.CompilerServices;
using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>
/// The formula, word for word: y[n, p, q, k] = sum over r, s, c of x[n, p + r - 1, q + s - 1, c] weight[k, r, s, c].
/// </summary>
/// <remarks>
/// Each addition waits for the one before it, about three cycles, whatever else the processor could do meanwhile. The
/// compiler may not help: a float sum in another order is another sum.
/// </remarks>
internal static unsafe class Naive
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int threads)
    {
        int height = sizes.Height, width = sizes.Width, inputs = sizes.Inputs, outputs = sizes.Outputs;
        for (int n = 0; n < sizes.Batch; n++)
            for (int p = 0; p < height; p++)
                for (int q = 0; q < width; q++)
                    for (int k = 0; k < outputs; k++)
                    {
                        float sum = 0;
                        for (int r = 0; r < 3; r++)
                            for (int s = 0; s < 3; s++)
                            {
                                int h = p + r - 1, w = q + s - 1;
                                if (h < 0 || h >= height || w < 0 || w >= width)
                                    continue; // padding: a product with zero
                                float* pixel = x + ((n * height + h) * width + w) * inputs;
                                float* tap = weight + ((k * 3 + r) * 3 + s) * inputs;
                                for (int c = 0; c < inputs; c++)
                                    sum += pixel[c] * tap[c];
                            }
                        y[((n * height + p) * width + q) * outputs + k] = sum;
                    }
    }
}
