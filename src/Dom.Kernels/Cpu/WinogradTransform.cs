using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// The five small matrices of F(4x4, 3x3), each applied to vectors that hold one channel a lane. A 4x4 tile of outputs is
/// A^T [(G g G^T) * (B^T d B)] A for the weights g (3x3) and the window d (6x6) of inputs: 36 products instead of 144.
/// The points of interpolation are 0, 1, -1, 2, -2 and infinity.
/// </summary>
internal static unsafe class WinogradTransform<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>B^T d, 6 to 6: rows 4 0 -5 0 1 0 | 0 -4 -4 1 1 0 | 0 4 -4 -1 1 0 | 0 -2 -1 2 1 0 | 0 2 -1 -2 1 0 | 0 4 0 -5 0 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input(TVector d0, TVector d1, TVector d2, TVector d3, TVector d4, TVector d5, float* target, nint pitch)
    {
        TVector four = TSimd.Create(4), minusFour = TSimd.Create(-4), minusFive = TSimd.Create(-5);
        TVector even = TSimd.MultiplyAdd(d2, minusFour, d4), odd = TSimd.MultiplyAdd(d1, minusFour, d3);
        TVector even2 = TSimd.Subtract(d4, d2), odd2 = TSimd.Subtract(d3, d1);
        odd2 = TSimd.Add(odd2, odd2);
        TSimd.Store(TSimd.MultiplyAdd(d0, four, TSimd.MultiplyAdd(d2, minusFive, d4)), target);
        TSimd.Store(TSimd.Add(even, odd), target + pitch);
        TSimd.Store(TSimd.Subtract(even, odd), target + 2 * pitch);
        TSimd.Store(TSimd.Add(even2, odd2), target + 3 * pitch);
        TSimd.Store(TSimd.Subtract(even2, odd2), target + 4 * pitch);
        TSimd.Store(TSimd.MultiplyAdd(d1, four, TSimd.MultiplyAdd(d3, minusFive, d5)), target + 5 * pitch);
    }

    /// <summary>A^T m, 6 to the first <paramref name="count"/> of 4: rows 1 1 1 1 1 0 | 0 1 -1 2 -2 0 | 0 1 1 4 4 0 | 0 1 -1 8 -8 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(
        TVector m0, TVector m1, TVector m2, TVector m3, TVector m4, TVector m5, float* target, nint pitch, int count, bool streams)
    {
        TVector sum1 = TSimd.Add(m1, m2), difference1 = TSimd.Subtract(m1, m2);
        TVector sum2 = TSimd.Add(m3, m4), difference2 = TSimd.Subtract(m3, m4);
        Store(TSimd.Add(TSimd.Add(m0, sum1), sum2), target, streams);
        if (count > 1)
            Store(TSimd.MultiplyAdd(difference2, TSimd.Create(2), difference1), target + pitch, streams);
        if (count > 2)
            Store(TSimd.MultiplyAdd(sum2, TSimd.Create(4), sum1), target + 2 * pitch, streams);
        if (count > 3)
            Store(TSimd.Add(TSimd.MultiplyAdd(difference2, TSimd.Create(8), difference1), m5), target + 3 * pitch, streams);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TVector value, float* target, bool streams)
    {
        if (streams)
            TSimd.StoreStreaming(value, target);
        else
            TSimd.Store(value, target);
    }

    /// <summary>A y, 4 to 6: what a gradient of outputs becomes on its way back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OutputGradient(TVector y0, TVector y1, TVector y2, TVector y3, float* target, nint pitch)
    {
        TVector even = TSimd.Add(y0, y2), odd = TSimd.Add(y1, y3), four = TSimd.Create(4);
        TVector even2 = TSimd.MultiplyAdd(y2, four, y0), odd2 = TSimd.MultiplyAdd(y3, four, y1);
        odd2 = TSimd.Add(odd2, odd2);
        TSimd.Store(y0, target);
        TSimd.Store(TSimd.Add(even, odd), target + pitch);
        TSimd.Store(TSimd.Subtract(even, odd), target + 2 * pitch);
        TSimd.Store(TSimd.Add(even2, odd2), target + 3 * pitch);
        TSimd.Store(TSimd.Subtract(even2, odd2), target + 4 * pitch);
        TSimd.Store(y3, target + 5 * pitch);
    }

    /// <summary>G g, 3 to 6: rows 1/4 0 0 | -1/6 -1/6 -1/6 | -1/6 1/6 -1/6 | 1/24 1/12 1/6 | 1/24 -1/12 1/6 | 0 0 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(TVector g0, TVector g1, TVector g2, float* target, nint pitch)
    {
        TVector outer = TSimd.Multiply(TSimd.Add(g0, g2), TSimd.Create(-1f / 6)), middle = TSimd.Multiply(g1, TSimd.Create(1f / 6));
        TVector outer2 = TSimd.MultiplyAdd(g2, TSimd.Create(1f / 6), TSimd.Multiply(g0, TSimd.Create(1f / 24)));
        TVector middle2 = TSimd.Multiply(g1, TSimd.Create(1f / 12));
        TSimd.Store(TSimd.Multiply(g0, TSimd.Create(0.25f)), target);
        TSimd.Store(TSimd.Subtract(outer, middle), target + pitch);
        TSimd.Store(TSimd.Add(outer, middle), target + 2 * pitch);
        TSimd.Store(TSimd.Add(outer2, middle2), target + 3 * pitch);
        TSimd.Store(TSimd.Subtract(outer2, middle2), target + 4 * pitch);
        TSimd.Store(g2, target + 5 * pitch);
    }

    /// <summary>G^T s, 6 to 3: from products to the gradient of weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WeightGradient(
        TVector s0, TVector s1, TVector s2, TVector s3, TVector s4, TVector s5, float* target, nint pitch)
    {
        TVector sum1 = TSimd.Add(s1, s2), difference1 = TSimd.Subtract(s2, s1);
        TVector sum2 = TSimd.Add(s3, s4), difference2 = TSimd.Subtract(s3, s4);
        TVector minusSixth = TSimd.Create(-1f / 6), sixth = TSimd.Create(1f / 6);
        TSimd.Store(
            TSimd.MultiplyAdd(sum1, minusSixth, TSimd.MultiplyAdd(sum2, TSimd.Create(1f / 24), TSimd.Multiply(s0, TSimd.Create(0.25f)))), target);
        TSimd.Store(TSimd.MultiplyAdd(difference1, sixth, TSimd.Multiply(difference2, TSimd.Create(1f / 12))), target + pitch);
        TSimd.Store(TSimd.Add(TSimd.MultiplyAdd(sum1, minusSixth, TSimd.Multiply(sum2, sixth)), s5), target + 2 * pitch);
    }
}
