using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>How window kernels fetch what the next run will read.</summary>
internal static unsafe class WindowFetch
{
    private const int LineFloats = 16;

    /// <summary>A tile's share in fetching what comes next: memory works while the tiles compute.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Share(WindowRun* run, int tile)
    {
        if (!Sse.IsSupported || run->NextFloats == 0)
            return;
        int share = (run->NextFloats / LineFloats + run->Tiles) / run->Tiles * LineFloats;
        int end = Math.Min(run->NextFloats, (tile + 1) * share);
        for (int i = tile * share; i < end; i += LineFloats)
            Sse.Prefetch1(run->Next + i);
    }
}
