using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dom.Bench.Ladder;

/// <summary>
/// The three matrices of F(4, 3), which computes 4 outputs of a filter with 3 taps by 6 products instead of 12: y = A^T
/// [(G g) * (B^T d)]. Each is applied to vectors that hold the same place of 16 channels; applied to columns and then
/// to rows it serves images.
/// </summary>
/// <remarks>
/// Where they come from: inputs, weights and outputs as polynomials, multiplied by their values at the points 0, 1, -1,
/// 2, -2 and infinity. Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, section 4.
/// </remarks>
internal static unsafe class WinogradTransforms
{
    /// <summary>B^T d: from 6 inputs to their values at the 6 points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input(float* d, nint pitch, float* v, nint targetPitch)
    {
        Vector512<float> d0 = At(d, 0, pitch), d1 = At(d, 1, pitch), d2 = At(d, 2, pitch);
        Vector512<float> d3 = At(d, 3, pitch), d4 = At(d, 4, pitch), d5 = At(d, 5, pitch);
        var even1 = d4 - 4 * d2;
        var odd1 = d3 - 4 * d1;
        var even2 = d4 - d2;
        var odd2 = 2 * (d3 - d1);
        (4 * d0 - 5 * d2 + d4).Store(v);
        (even1 + odd1).Store(v + targetPitch);
        (even1 - odd1).Store(v + 2 * targetPitch);
        (even2 + odd2).Store(v + 3 * targetPitch);
        (even2 - odd2).Store(v + 4 * targetPitch);
        (4 * d1 - 5 * d3 + d5).Store(v + 5 * targetPitch);
    }

    /// <summary>G g: from 3 weights to their values at the 6 points.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(float* g, nint pitch, float* u, nint targetPitch)
    {
        Vector512<float> g0 = At(g, 0, pitch), g1 = At(g, 1, pitch), g2 = At(g, 2, pitch);
        var even1 = (g0 + g2) * (-1f / 6);
        var odd1 = g1 * (-1f / 6);
        var even2 = g0 * (1f / 24) + g2 * (1f / 6);
        var odd2 = g1 * (1f / 12);
        (g0 * 0.25f).Store(u);
        (even1 + odd1).Store(u + targetPitch);
        (even1 - odd1).Store(u + 2 * targetPitch);
        (even2 + odd2).Store(u + 3 * targetPitch);
        (even2 - odd2).Store(u + 4 * targetPitch);
        g2.Store(u + 5 * targetPitch);
    }

    /// <summary>A^T m: from 6 products back to 4 outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(float* m, nint pitch, float* y, nint targetPitch)
    {
        Vector512<float> m1 = At(m, 1, pitch), m2 = At(m, 2, pitch), m3 = At(m, 3, pitch), m4 = At(m, 4, pitch);
        Vector512<float> sum1 = m1 + m2, difference1 = m1 - m2, sum2 = m3 + m4, difference2 = m3 - m4;
        (At(m, 0, pitch) + sum1 + sum2).Store(y);
        (difference1 + 2 * difference2).Store(y + targetPitch);
        (sum1 + 4 * sum2).Store(y + 2 * targetPitch);
        (difference1 + 8 * difference2 + At(m, 5, pitch)).Store(y + 3 * targetPitch);
    }

    private static Vector512<float> At(float* from, int index, nint pitch) => Vector512.Load(from + index * pitch);
}
