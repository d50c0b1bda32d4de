using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// Whether a tile fetches a line at <see cref="TileRun.Next"/> with each step of its sums: for panels that come from memory and are used a few times only.
/// Lines asked for all at once would wait for each other. A type, so that other kernels are made without it.
/// </summary>
internal interface IPanelFetch
{
    static abstract bool Is { get; }
}

internal readonly struct FetchesPanel : IPanelFetch
{
    public static bool Is
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }
}

internal readonly struct FetchesNoPanel : IPanelFetch
{
    public static bool Is
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }
}
