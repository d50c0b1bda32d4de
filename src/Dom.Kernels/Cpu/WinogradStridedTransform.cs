using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// The small matrices of F(4x4, 2x2) on the points 0, 1, -1, 2 and infinity, each applied to vectors that hold one channel a lane, and what
/// <see cref="WinogradScheme"/> makes of them for stride 2: nine points a side are five for pixels that meet two taps and, behind them, four for those that meet one.
/// </summary>
internal static unsafe class WinogradStridedTransform<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Points a side where pixels meet two taps.</summary>
    public const int Five = 5;

    /// <summary>Points a side of all pixels.</summary>
    public const int Nine = 9;

    /// <summary>B^T d, 5 to 5: rows 2 -1 -2 1 0 | 0 -2 -1 1 0 | 0 2 -3 1 0 | 0 -1 0 1 0 | 0 2 -1 -2 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input(TVector d0, TVector d1, TVector d2, TVector d3, TVector d4, float* target, nint pitch)
    {
        var outer = Input(d0, d1, d2, d3, target, pitch);
        TSimd.Store(TSimd.MultiplyAdd(outer, TSimd.Create(-2), TSimd.Subtract(d4, d2)), target + 4 * pitch);
    }

    /// <summary>The first four rows of it, 4 to 4; returns d3 - d1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Input(TVector d0, TVector d1, TVector d2, TVector d3, float* target, nint pitch)
    {
        TVector outer = TSimd.Subtract(d3, d1);
        TSimd.Store(TSimd.MultiplyAdd(TSimd.Subtract(d0, d2), TSimd.Create(2), outer), target);
        TSimd.Store(TSimd.Subtract(outer, TSimd.Add(d1, d2)), target + pitch);
        TSimd.Store(TSimd.MultiplyAdd(TSimd.Subtract(d1, d2), TSimd.Create(3), outer), target + 2 * pitch);
        TSimd.Store(outer, target + 3 * pitch);
        return outer;
    }

    /// <summary>A^T m, 5 to 4: rows 1 1 1 1 0 | 0 1 -1 2 0 | 0 1 1 4 0 | 0 1 -1 8 1. The first <paramref name="count"/> of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(TVector m0, TVector m1, TVector m2, TVector m3, TVector m4, float* target, nint pitch, int count, bool streams)
    {
        TVector difference = TSimd.Subtract(m1, m2);
        Output(m0, m1, m2, m3, target, pitch, Math.Min(count, 3), streams);
        if (count > 3)
            Store(TSimd.Add(TSimd.MultiplyAdd(m3, TSimd.Create(8), difference), m4), target + 3 * pitch, streams);
    }

    /// <summary>The same without infinity, 4 to 4.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(TVector m0, TVector m1, TVector m2, TVector m3, float* target, nint pitch, int count, bool streams)
    {
        TVector sum = TSimd.Add(m1, m2), difference = TSimd.Subtract(m1, m2);
        if (count > 0)
            Store(TSimd.Add(TSimd.Add(m0, sum), m3), target, streams);
        if (count > 1)
            Store(TSimd.MultiplyAdd(m3, TSimd.Create(2), difference), target + pitch, streams);
        if (count > 2)
            Store(TSimd.MultiplyAdd(m3, TSimd.Create(4), sum), target + 2 * pitch, streams);
        if (count > 3)
            Store(TSimd.MultiplyAdd(m3, TSimd.Create(8), difference), target + 3 * pitch, streams);
    }

    /// <summary>A y, 4 to 5: what a gradient of outputs becomes on its way back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputGradient(TVector y0, TVector y1, TVector y2, TVector y3, float* target, nint pitch)
    {
        TVector even = TSimd.Add(y0, y2), odd = TSimd.Add(y1, y3), four = TSimd.Create(4);
        TVector odd2 = TSimd.MultiplyAdd(y3, four, y1);
        TSimd.Store(y0, target);
        TSimd.Store(TSimd.Add(even, odd), target + pitch);
        TSimd.Store(TSimd.Subtract(even, odd), target + 2 * pitch);
        TSimd.Store(TSimd.MultiplyAdd(odd2, TSimd.Create(2), TSimd.MultiplyAdd(y2, four, y0)), target + 3 * pitch);
        TSimd.Store(y3, target + 4 * pitch);
    }

    /// <summary>
    /// 3 taps to 9: G (g0, g2) with the rows 1/2 0 | -1/2 -1/2 | -1/6 1/6 | 1/6 1/3 | 0 1, then G (g1, 0) without its last, which is 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(TVector g0, TVector g1, TVector g2, float* target, nint pitch)
    {
        TVector half = TSimd.Create(0.5f), minusHalf = TSimd.Create(-0.5f), sixth = TSimd.Create(1f / 6), minusSixth = TSimd.Create(-1f / 6);
        TSimd.Store(TSimd.Multiply(g0, half), target);
        TSimd.Store(TSimd.Multiply(TSimd.Add(g0, g2), minusHalf), target + pitch);
        TSimd.Store(TSimd.Multiply(TSimd.Subtract(g2, g0), sixth), target + 2 * pitch);
        TSimd.Store(TSimd.MultiplyAdd(g2, TSimd.Create(1f / 3), TSimd.Multiply(g0, sixth)), target + 3 * pitch);
        TSimd.Store(g2, target + 4 * pitch);
        TVector middle = TSimd.Multiply(g1, minusSixth);
        TSimd.Store(TSimd.Multiply(g1, half), target + 5 * pitch);
        TSimd.Store(TSimd.Multiply(g1, minusHalf), target + 6 * pitch);
        TSimd.Store(middle, target + 7 * pitch);
        TSimd.Store(TSimd.Multiply(g1, sixth), target + 8 * pitch);
    }

    /// <summary>The transpose of <see cref="Weights"/>, 9 to 3: from products to the gradient of weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WeightGradient(float* source, nint step, float* target, nint pitch)
    {
        TVector half = TSimd.Create(0.5f), sixth = TSimd.Create(1f / 6);
        TVector s1 = TSimd.Load(source + step), s2 = TSimd.Load(source + 2 * step), s3 = TSimd.Load(source + 3 * step);
        TSimd.Store(
            TSimd.MultiplyAdd(TSimd.Subtract(TSimd.Load(source), s1), half, TSimd.Multiply(TSimd.Subtract(s3, s2), sixth)), target);
        TSimd.Store(
            TSimd.Add(TSimd.MultiplyAdd(s1, TSimd.Create(-0.5f), TSimd.MultiplyAdd(s2, sixth, TSimd.Multiply(s3, TSimd.Create(1f / 3)))), TSimd.Load(source + 4 * step)),
            target + 2 * pitch);
        TVector o0 = TSimd.Load(source + 5 * step), o1 = TSimd.Load(source + 6 * step), o2 = TSimd.Load(source + 7 * step), o3 = TSimd.Load(source + 8 * step);
        TSimd.Store(TSimd.MultiplyAdd(TSimd.Subtract(o0, o1), half, TSimd.Multiply(TSimd.Subtract(o3, o2), sixth)), target + pitch);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TVector value, float* target, bool streams)
    {
        if (streams)
            TSimd.StoreStreaming(value, target);
        else
            TSimd.Store(value, target);
    }
}
