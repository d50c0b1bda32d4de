using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// When a tile fetches lines at <see cref="TileRun.Next"/>, one behind the other, for what will be read soon: a few at a time, since lines that are asked for
/// all at once wait for each other. A type, so that other kernels are made without it.
/// </summary>
internal interface ILineFetch
{
    /// <summary>One line with each step of the sums: for panels that come from memory and are used a few times only.</summary>
    static abstract bool AtSteps { get; }

    /// <summary><see cref="TileRun.NextLines"/> lines with each segment: for sources that come from memory.</summary>
    static abstract bool AtSegments { get; }
}

internal readonly struct FetchesAtSteps : ILineFetch
{
    public static bool AtSteps
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }

    public static bool AtSegments
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }
}

internal readonly struct FetchesAtSegments : ILineFetch
{
    public static bool AtSteps
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    public static bool AtSegments
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }
}

internal readonly struct FetchesNoLines : ILineFetch
{
    public static bool AtSteps
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }

    public static bool AtSegments
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }
}
