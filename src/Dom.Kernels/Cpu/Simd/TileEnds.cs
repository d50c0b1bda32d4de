using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>What tile kernels do before and after their sums, the same for all.</summary>
internal static unsafe class TileEnds
{
    private const int LineFloats = 16;

    /// <summary>Brings some rows of what comes after this run into the second-level cache.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void FetchNext(TileRun* run)
    {
        if (!Sse.IsSupported)
            return;
        int rows = Math.Min(run->NextRows, run->NextRowsPerTile);
        run->NextRows -= rows;
        for (; rows > 0; rows--, run->Next += run->NextPitch)
            for (int i = 0; i < run->NextFloats; i += LineFloats)
                Sse.Prefetch1(run->Next + i);
    }

    /// <summary>Takes over the columns of a tile that exist. A call of its own, after the sums have left the registers.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void CopyEdge(TileRun* run, int* tile, int width)
    {
        for (int i = 0; i < tile[TileTable.Rows]; i++)
        {
            float* edge = run->Edge + i * width, target = run->Target + tile[TileTable.Targets + i];
            int j = 0;
            for (; j + 4 <= run->Columns; j += 4)
                (run->Adds ? Vector128.Load(target + j) + Vector128.Load(edge + j) : Vector128.Load(edge + j)).Store(target + j);
            for (; j < run->Columns; j++)
                target[j] = run->Adds ? target[j] + edge[j] : edge[j];
        }
    }
}
