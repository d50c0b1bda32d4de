using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dom.Bench.Ladder;

/// <summary>
/// 4 rows of sums times 64 columns, in 16 of the processor's 32 vector registers for as long as the loop runs.
/// </summary>
/// <remarks>
/// A step loads 4 vectors of weights and 4 single floats and does 16 multiply-adds with them: half a load each and no
/// store, where <see cref="VectorSums"/> needs two loads and a store. 16 independent sums also cover the latency of a
/// multiply-add, 4 cycles.
/// </remarks>
internal static unsafe class Tile
{
    public const int Rows = 4, Columns = 64;

    /// <summary>
    /// target[i, :] (+)= sum over steps of source[i, step] panel[step, :] for 4 rows i, so many floats apart.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(
        float* source, nint sourcePitch, float* panel, int steps, float* target, nint targetPitch, bool adds)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        float* row0 = source, row1 = row0 + sourcePitch, row2 = row1 + sourcePitch, row3 = row2 + sourcePitch;
        for (nint step = 0; step < steps; step++, panel += Columns)
        {
            var w0 = Vector512.Load(panel);
            var w1 = Vector512.Load(panel + 16);
            var w2 = Vector512.Load(panel + 32);
            var w3 = Vector512.Load(panel + 48);
            MultiplyAdd(row0[step], w0, w1, w2, w3, ref s00, ref s01, ref s02, ref s03);
            MultiplyAdd(row1[step], w0, w1, w2, w3, ref s10, ref s11, ref s12, ref s13);
            MultiplyAdd(row2[step], w0, w1, w2, w3, ref s20, ref s21, ref s22, ref s23);
            MultiplyAdd(row3[step], w0, w1, w2, w3, ref s30, ref s31, ref s32, ref s33);
        }
        Store(target, adds, s00, s01, s02, s03);
        Store(target + targetPitch, adds, s10, s11, s12, s13);
        Store(target + 2 * targetPitch, adds, s20, s21, s22, s23);
        Store(target + 3 * targetPitch, adds, s30, s31, s32, s33);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MultiplyAdd(
        float x, Vector512<float> w0, Vector512<float> w1, Vector512<float> w2, Vector512<float> w3,
        ref Vector512<float> s0, ref Vector512<float> s1, ref Vector512<float> s2, ref Vector512<float> s3)
    {
        var factor = Vector512.Create(x);
        s0 = Vector512.FusedMultiplyAdd(factor, w0, s0);
        s1 = Vector512.FusedMultiplyAdd(factor, w1, s1);
        s2 = Vector512.FusedMultiplyAdd(factor, w2, s2);
        s3 = Vector512.FusedMultiplyAdd(factor, w3, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(
        float* target, bool adds, Vector512<float> s0, Vector512<float> s1, Vector512<float> s2, Vector512<float> s3)
    {
        if (adds)
        {
            s0 += Vector512.Load(target);
            s1 += Vector512.Load(target + 16);
            s2 += Vector512.Load(target + 32);
            s3 += Vector512.Load(target + 48);
        }
        s0.Store(target);
        s1.Store(target + 16);
        s2.Store(target + 32);
        s3.Store(target + 48);
    }
}
