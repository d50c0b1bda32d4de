using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// The twin of <see cref="WindowKernel{TSimd,TVector}"/> for few columns: 8 rows and one or two vectors of columns, so that enough sums are in flight.
/// </summary>
internal static unsafe class TallWindowKernel<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Rows = TileShape.ManyRows;

    /// <summary>The code for so many vectors of columns.</summary>
    public static delegate*<WindowRun*, void> ForColumns(int vectors) => vectors == 1 ? &Run<OneColumn> : &Run<TwoColumns>;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TColumns>(WindowRun* run) where TColumns : struct, IColumns
    {
        int* offsets = run->Offsets;
        float* target = run->Target;
        nint pixelPitch = run->PixelPitch, dyPitch = run->DyPitch;
        for (int tile = 0; tile < run->Tiles; tile++, offsets += Rows)
        {
            WindowFetch.Share(run, tile);
            nint offset0 = offsets[0], offset1 = offsets[1], offset2 = offsets[2], offset3 = offsets[3];
            nint offset4 = offsets[4], offset5 = offsets[5], offset6 = offsets[6], offset7 = offsets[7];
            TVector s00 = default, s10 = default, s20 = default, s30 = default, s40 = default, s50 = default, s60 = default, s70 = default;
            TVector s01 = default, s11 = default, s21 = default, s31 = default, s41 = default, s51 = default, s61 = default, s71 = default;
            float* row = run->X, dy = run->Dy;
            for (int rows = run->Rows; rows > 0; rows--, row += run->RowPitch)
            {
                float* x = row;
                for (int pixels = run->PixelsPerRow; pixels > 0; pixels--, x += pixelPitch, dy += dyPitch)
                {
                    var dy0 = TSimd.Load(dy);
                    var dy1 = TColumns.Count > 1 ? TSimd.Load(dy + TSimd.Width) : default;
                    TallSums<TSimd, TVector, TColumns>.Add(x + offset0, dy0, dy1, ref s00, ref s01);
                    TallSums<TSimd, TVector, TColumns>.Add(x + offset1, dy0, dy1, ref s10, ref s11);
                    TallSums<TSimd, TVector, TColumns>.Add(x + offset2, dy0, dy1, ref s20, ref s21);
                    TallSums<TSimd, TVector, TColumns>.Add(x + offset3, dy0, dy1, ref s30, ref s31);
                    TallSums<TSimd, TVector, TColumns>.Add(x + offset4, dy0, dy1, ref s40, ref s41);
                    TallSums<TSimd, TVector, TColumns>.Add(x + offset5, dy0, dy1, ref s50, ref s51);
                    TallSums<TSimd, TVector, TColumns>.Add(x + offset6, dy0, dy1, ref s60, ref s61);
                    TallSums<TSimd, TVector, TColumns>.Add(x + offset7, dy0, dy1, ref s70, ref s71);
                }
            }
            target = TallSums<TSimd, TVector, TColumns>.Store(target, run->Adds, s00, s01);
            target = TallSums<TSimd, TVector, TColumns>.Store(target, run->Adds, s10, s11);
            target = TallSums<TSimd, TVector, TColumns>.Store(target, run->Adds, s20, s21);
            target = TallSums<TSimd, TVector, TColumns>.Store(target, run->Adds, s30, s31);
            target = TallSums<TSimd, TVector, TColumns>.Store(target, run->Adds, s40, s41);
            target = TallSums<TSimd, TVector, TColumns>.Store(target, run->Adds, s50, s51);
            target = TallSums<TSimd, TVector, TColumns>.Store(target, run->Adds, s60, s61);
            target = TallSums<TSimd, TVector, TColumns>.Store(target, run->Adds, s70, s71);
        }
    }
}
