using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu;

/// <summary>What both passes of a batch norm's gradient read: x and dy [rows][width], and rows of constants.</summary>
internal readonly unsafe struct BatchNormGradient(BatchNormRows rows, float* x, float* dy, float* mean, float* scale, float* beta, bool relu)
{
    public readonly BatchNormRows Rows = rows;
    public readonly float* X = x, Dy = dy, Mean = mean, Scale = scale, Beta = beta;
    public readonly bool Relu = relu;
}

/// <summary>Whether a rectifier was fused: a type, so that the compiler makes a loop of each case.</summary>
internal interface IRectified
{
    static abstract bool Is { get; }
}

internal readonly struct Rectified : IRectified
{
    public static bool Is
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => true;
    }
}

internal readonly struct NotRectified : IRectified
{
    public static bool Is
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => false;
    }
}
