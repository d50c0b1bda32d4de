using Dom.Tensors.Ops;

namespace Dom.Bench.Ladder;

/// <summary>
/// Cache blocks as before, and inside them tiles of 4 pixels by 64 output channels whose sums stay in registers: <see
/// cref="Tile"/>.
/// </summary>
/// <remarks>
/// Four pixels of a row are C floats apart in the bordered image, so the rows of a tile need no copying. A tile's sums
/// go to memory and back once for a block, 32 vectors for 16 x <see cref="Steps"/> multiply-adds. What is left is
/// arithmetic.
/// </remarks>
internal static unsafe class RegisterTiled
{
    /// <summary>96 steps of 64 outputs: 24 KiB of weights in a first-level cache of 32.</summary>
    public const int Steps = 96;

    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int threads) =>
        Run(sizes, x, weight, y, Steps, 1);

    /// <summary>
    /// Whole runs of 3 C steps, 96 KiB for 128 channels: weights come from the second-level cache, each time for 4
    /// pixels.
    /// </summary>
    public static void RunWithoutBlocks(Conv2dSizes sizes, float* x, float* weight, float* y, int threads) =>
        Run(sizes, x, weight, y, 3 * sizes.Inputs, 1);

    /// <summary>Images are handed to threads one by one; see <see cref="Threaded"/>.</summary>
    public static void Run(Conv2dSizes sizes, float* x, float* weight, float* y, int steps, int threads)
    {
        using var operands = new Operands(sizes, x, weight, Tile.Columns);
        var images = new Tickets(sizes.Batch);
        Tickets.OnThreads(threads, () =>
        {
            using var bordered = operands.NewImage();
            while (images.Take(out int n))
                RunImage(sizes, operands, operands.AddBorder(n, bordered), y + n * operands.OutputImage, steps);
        });
    }

    private static void RunImage(Conv2dSizes sizes, Operands operands, float* x, float* y, int mostSteps)
    {
        for (int k = 0; k < sizes.Outputs; k += Tile.Columns)
            for (int r = 0; r < 3; r++)
                for (int first = 0; first < operands.Run; first += mostSteps)
                {
                    int steps = Math.Min(mostSteps, operands.Run - first);
                    float* block = operands.Panels + 3 * k * operands.Run + (r * operands.Run + first) * Tile.Columns;
                    for (int p = 0; p < sizes.Height; p++)
                        for (int q = 0; q < sizes.Width; q += Tile.Rows)
                            Tile.Multiply(
                                x + (p + r) * operands.RowPitch + q * sizes.Inputs + first, sizes.Inputs, block, steps,
                                y + (p * sizes.Width + q) * sizes.Outputs + k, sizes.Outputs, adds: r + first > 0);
                }
    }
}
