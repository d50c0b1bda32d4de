using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// The twin of <see cref="OuterProduct{TSimd,TVector}"/> for one or two vectors of columns: 8 neighboring lanes, so that enough sums are in flight.
/// </summary>
internal static unsafe class TallOuterProduct<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Rows of a tile; vectors have at least as many lanes.</summary>
    public const int Rows = TileShape.ManyRows;

    /// <summary>The code for so many vectors of columns, called like the twin's.</summary>
    public static delegate*<float*, float*, nint, int, float*, bool, void> ForColumns(int vectors) => vectors == 1 ? &Run<OneColumn> : &Run<TwoColumns>;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TColumns>(float* rows, float* columns, nint pitch, int steps, float* target, bool adds)
        where TColumns : struct, IColumns
    {
        TVector s00 = default, s10 = default, s20 = default, s30 = default, s40 = default, s50 = default, s60 = default, s70 = default;
        TVector s01 = default, s11 = default, s21 = default, s31 = default, s41 = default, s51 = default, s61 = default, s71 = default;
        float* columns1 = columns + pitch;
        nint end = (nint)steps * TSimd.Width;
        for (nint k = 0; k < end; k += TSimd.Width)
        {
            var c0 = TSimd.Load(columns + k);
            var c1 = TColumns.Count > 1 ? TSimd.Load(columns1 + k) : default;
            TallSums<TSimd, TVector, TColumns>.Add(rows + k, c0, c1, ref s00, ref s01);
            TallSums<TSimd, TVector, TColumns>.Add(rows + k + 1, c0, c1, ref s10, ref s11);
            TallSums<TSimd, TVector, TColumns>.Add(rows + k + 2, c0, c1, ref s20, ref s21);
            TallSums<TSimd, TVector, TColumns>.Add(rows + k + 3, c0, c1, ref s30, ref s31);
            TallSums<TSimd, TVector, TColumns>.Add(rows + k + 4, c0, c1, ref s40, ref s41);
            TallSums<TSimd, TVector, TColumns>.Add(rows + k + 5, c0, c1, ref s50, ref s51);
            TallSums<TSimd, TVector, TColumns>.Add(rows + k + 6, c0, c1, ref s60, ref s61);
            TallSums<TSimd, TVector, TColumns>.Add(rows + k + 7, c0, c1, ref s70, ref s71);
        }
        target = TallSums<TSimd, TVector, TColumns>.Store(target, adds, s00, s01);
        target = TallSums<TSimd, TVector, TColumns>.Store(target, adds, s10, s11);
        target = TallSums<TSimd, TVector, TColumns>.Store(target, adds, s20, s21);
        target = TallSums<TSimd, TVector, TColumns>.Store(target, adds, s30, s31);
        target = TallSums<TSimd, TVector, TColumns>.Store(target, adds, s40, s41);
        target = TallSums<TSimd, TVector, TColumns>.Store(target, adds, s50, s51);
        target = TallSums<TSimd, TVector, TColumns>.Store(target, adds, s60, s61);
        TallSums<TSimd, TVector, TColumns>.Store(target, adds, s70, s71);
    }
}
