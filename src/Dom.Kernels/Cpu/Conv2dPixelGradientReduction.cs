using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Adds the sums of all groups of a <see cref="Conv2dPixelGradientPlan"/>, in order, and stores them as weights [K, R S C].
/// </summary>
internal readonly unsafe struct Conv2dPixelGradientReduction(
    Conv2dPixelGradientPlan plan, float* sums, float* dweight) : IJob
{
    private const int TilesPerTask = 16;
    private const int WidestTile = TileTable.TileRows * 64;

    public int Tasks => plan.OutputBlocks * Parts;

    private int Parts => (plan.Tiles + TilesPerTask - 1) / TilesPerTask;

    [SkipLocalsInit]
    public void Execute(int task, int worker)
    {
        int block = task / Parts, first = task % Parts * TilesPerTask, end = Math.Min(plan.Tiles, first + TilesPerTask);
        int outputs = plan.Sizes.Outputs, width = plan.Shape.WidthOf(block, outputs);
        int firstOutput = block * plan.Shape.Width, columns = Math.Min(width, outputs - firstOutput);
        float* total = stackalloc float[WidestTile];
        for (int tile = first; tile < end; tile++)
        {
            AddGroups(sums + plan.TileOffset(block, tile), TileTable.TileRows * width, total);
            int row = tile * TileTable.TileRows;
            float* target = dweight + (nint)firstOutput * plan.Rows + row;
            TurnTile(total, width, columns, Math.Min(TileTable.TileRows, plan.Rows - row), target);
        }
    }

    /// <summary>A chain of additions runs from the first group to the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddGroups(float* first, int count, float* total)
    {
        nint pitch = (nint)plan.GroupFloats;
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            var sum = Vector512.Load(first + i);
            for (int group = 1; group < plan.Groups; group++)
                sum += Vector512.Load(first + group * pitch + i);
            sum.Store(total + i);
        }
        for (; i < count; i++)
        {
            float sum = first[i];
            for (int group = 1; group < plan.Groups; group++)
                sum += first[group * pitch + i];
            total[i] = sum;
        }
    }

    /// <summary>A tile [row][output channel] becomes columns of the weights.</summary>
    private void TurnTile(float* total, int width, int columns, int rows, float* target)
    {
        nint pitch = plan.Rows;
        int k = 0;
        if (rows == TileTable.TileRows)
            for (; k + 4 <= columns; k += 4)
            {
                float* row0 = total + k, row1 = row0 + width, row2 = row1 + width, row3 = row2 + width;
                Transpose.FourByFour(row0, row1, row2, row3, target + k * pitch, pitch);
            }
        for (; k < columns; k++)
            for (int row = 0; row < rows; row++)
                target[k * pitch + row] = total[row * width + k];
    }
}
