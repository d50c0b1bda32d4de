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
    private const int LargestTile = TileTable.MostRows * 32;

    public int Tasks => plan.OutputBlocks * Parts;

    private int Parts => (plan.Tiles + TilesPerTask - 1) / TilesPerTask;

    [SkipLocalsInit]
    public void Execute(int task, int worker)
    {
        int block = task / Parts, first = task % Parts * TilesPerTask, end = Math.Min(plan.Tiles, first + TilesPerTask);
        int outputs = plan.Sizes.Outputs, width = plan.Shape.WidthOf(block, outputs);
        int firstOutput = block * plan.Shape.Width, columns = Math.Min(width, outputs - firstOutput);
        float* total = stackalloc float[LargestTile];
        for (int tile = first; tile < end; tile++)
        {
            AddGroups(sums + plan.TileOffset(block, tile), plan.Shape.Rows * width, total);
            int row = tile * plan.Shape.Rows;
            float* target = dweight + (nint)firstOutput * plan.Rows + row;
            Transpose.Tile(total, width, Math.Min(plan.Shape.Rows, plan.Rows - row), columns, target, plan.Rows);
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
}
