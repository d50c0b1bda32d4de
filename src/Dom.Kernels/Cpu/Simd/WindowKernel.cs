using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// tile[i, :] (+)= sum over the pixels of a window of x[pixel][offset i] dy[pixel][:], for 4 rows i and up to 4 vectors of
/// columns, all 16 sums in registers: the twin of <see cref="TileKernel{TSimd,TVector,TColumns,TFetch}"/> where the pixels are a
/// pitch apart and nothing is turned.
/// </summary>
internal static unsafe class WindowKernel<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>The code for so many vectors of columns.</summary>
    public static delegate*<WindowRun*, void> ForColumns(int vectors) => vectors switch
    {
        1 => &Run<OneColumn>,
        2 => &Run<TwoColumns>,
        3 => &Run<ThreeColumns>,
        _ => &Run<FourColumns>,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TColumns>(WindowRun* run) where TColumns : struct, IColumns
    {
        int* offsets = run->Offsets;
        float* target = run->Target;
        nint pixelPitch = run->PixelPitch, dyPitch = run->DyPitch;
        for (int tile = 0; tile < run->Tiles; tile++, offsets += TileShape.FewRows)
        {
            WindowFetch.Share(run, tile);
            nint offset0 = offsets[0], offset1 = offsets[1], offset2 = offsets[2], offset3 = offsets[3];
            TVector s00 = default, s01 = default, s02 = default, s03 = default;
            TVector s10 = default, s11 = default, s12 = default, s13 = default;
            TVector s20 = default, s21 = default, s22 = default, s23 = default;
            TVector s30 = default, s31 = default, s32 = default, s33 = default;
            float* row = run->X, dy = run->Dy;
            for (int rows = run->Rows; rows > 0; rows--, row += run->RowPitch)
            {
                float* x = row;
                for (int pixels = run->PixelsPerRow; pixels > 0; pixels--, x += pixelPitch, dy += dyPitch)
                {
                    var dy0 = TSimd.Load(dy);
                    var dy1 = TColumns.Count > 1 ? TSimd.Load(dy + TSimd.Width) : default;
                    var dy2 = TColumns.Count > 2 ? TSimd.Load(dy + 2 * TSimd.Width) : default;
                    var dy3 = TColumns.Count > 3 ? TSimd.Load(dy + 3 * TSimd.Width) : default;

                    var x0 = TSimd.Broadcast(x + offset0);
                    s00 = TSimd.MultiplyAdd(x0, dy0, s00);
                    if (TColumns.Count > 1)
                        s01 = TSimd.MultiplyAdd(x0, dy1, s01);
                    if (TColumns.Count > 2)
                        s02 = TSimd.MultiplyAdd(x0, dy2, s02);
                    if (TColumns.Count > 3)
                        s03 = TSimd.MultiplyAdd(x0, dy3, s03);

                    var x1 = TSimd.Broadcast(x + offset1);
                    s10 = TSimd.MultiplyAdd(x1, dy0, s10);
                    if (TColumns.Count > 1)
                        s11 = TSimd.MultiplyAdd(x1, dy1, s11);
                    if (TColumns.Count > 2)
                        s12 = TSimd.MultiplyAdd(x1, dy2, s12);
                    if (TColumns.Count > 3)
                        s13 = TSimd.MultiplyAdd(x1, dy3, s13);

                    var x2 = TSimd.Broadcast(x + offset2);
                    s20 = TSimd.MultiplyAdd(x2, dy0, s20);
                    if (TColumns.Count > 1)
                        s21 = TSimd.MultiplyAdd(x2, dy1, s21);
                    if (TColumns.Count > 2)
                        s22 = TSimd.MultiplyAdd(x2, dy2, s22);
                    if (TColumns.Count > 3)
                        s23 = TSimd.MultiplyAdd(x2, dy3, s23);

                    var x3 = TSimd.Broadcast(x + offset3);
                    s30 = TSimd.MultiplyAdd(x3, dy0, s30);
                    if (TColumns.Count > 1)
                        s31 = TSimd.MultiplyAdd(x3, dy1, s31);
                    if (TColumns.Count > 2)
                        s32 = TSimd.MultiplyAdd(x3, dy2, s32);
                    if (TColumns.Count > 3)
                        s33 = TSimd.MultiplyAdd(x3, dy3, s33);
                }
            }
            target = Store<TColumns>(target, run->Adds, s00, s01, s02, s03);
            target = Store<TColumns>(target, run->Adds, s10, s11, s12, s13);
            target = Store<TColumns>(target, run->Adds, s20, s21, s22, s23);
            target = Store<TColumns>(target, run->Adds, s30, s31, s32, s33);
        }
    }

    /// <summary>Stores a row of sums and says where the next one goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float* Store<TColumns>(float* target, bool adds, TVector s0, TVector s1, TVector s2, TVector s3)
        where TColumns : struct, IColumns
    {
        Store(target, adds, s0);
        if (TColumns.Count > 1)
            Store(target + TSimd.Width, adds, s1);
        if (TColumns.Count > 2)
            Store(target + 2 * TSimd.Width, adds, s2);
        if (TColumns.Count > 3)
            Store(target + 3 * TSimd.Width, adds, s3);
        return target + TSimd.Width * TColumns.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* target, bool adds, TVector sum) =>
        TSimd.Store(adds ? TSimd.Add(TSimd.Load(target), sum) : sum, target);
}
