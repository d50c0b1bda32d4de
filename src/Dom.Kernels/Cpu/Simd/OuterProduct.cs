using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// tile[i, :] (+)= sum over steps k of rows[k][i] columns[k][:], for 4 neighboring lanes i of one sequence of vectors and up to 4 vectors of
/// columns, all 16 sums in registers: the twin of <see cref="TileKernel{TSimd,TVector,TColumns,TFetch}"/> where the steps are not side by side in memory.
/// </summary>
internal static unsafe class OuterProduct<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Rows of a tile.</summary>
    public const int Rows = 4;

    /// <summary>The code for so many vectors of columns: (rows, columns, floats between the vectors of a column, steps, target, whether it adds).</summary>
    public static delegate*<float*, float*, nint, int, float*, bool, void> ForColumns(int vectors) => vectors switch
    {
        1 => &Run<OneColumn>,
        2 => &Run<TwoColumns>,
        3 => &Run<ThreeColumns>,
        _ => &Run<FourColumns>,
    };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TColumns>(float* rows, float* columns, nint pitch, int steps, float* target, bool adds)
        where TColumns : struct, IColumns
    {
        TVector s00 = default, s01 = default, s02 = default, s03 = default;
        TVector s10 = default, s11 = default, s12 = default, s13 = default;
        TVector s20 = default, s21 = default, s22 = default, s23 = default;
        TVector s30 = default, s31 = default, s32 = default, s33 = default;
        float* columns1 = columns + pitch, columns2 = columns + 2 * pitch, columns3 = columns + 3 * pitch;
        nint end = (nint)steps * TSimd.Width;
        for (nint k = 0; k < end; k += TSimd.Width)
        {
            var c0 = TSimd.Load(columns + k);
            var c1 = TColumns.Count > 1 ? TSimd.Load(columns1 + k) : default;
            var c2 = TColumns.Count > 2 ? TSimd.Load(columns2 + k) : default;
            var c3 = TColumns.Count > 3 ? TSimd.Load(columns3 + k) : default;

            var x0 = TSimd.Broadcast(rows + k);
            s00 = TSimd.MultiplyAdd(x0, c0, s00);
            if (TColumns.Count > 1)
                s01 = TSimd.MultiplyAdd(x0, c1, s01);
            if (TColumns.Count > 2)
                s02 = TSimd.MultiplyAdd(x0, c2, s02);
            if (TColumns.Count > 3)
                s03 = TSimd.MultiplyAdd(x0, c3, s03);

            var x1 = TSimd.Broadcast(rows + k + 1);
            s10 = TSimd.MultiplyAdd(x1, c0, s10);
            if (TColumns.Count > 1)
                s11 = TSimd.MultiplyAdd(x1, c1, s11);
            if (TColumns.Count > 2)
                s12 = TSimd.MultiplyAdd(x1, c2, s12);
            if (TColumns.Count > 3)
                s13 = TSimd.MultiplyAdd(x1, c3, s13);

            var x2 = TSimd.Broadcast(rows + k + 2);
            s20 = TSimd.MultiplyAdd(x2, c0, s20);
            if (TColumns.Count > 1)
                s21 = TSimd.MultiplyAdd(x2, c1, s21);
            if (TColumns.Count > 2)
                s22 = TSimd.MultiplyAdd(x2, c2, s22);
            if (TColumns.Count > 3)
                s23 = TSimd.MultiplyAdd(x2, c3, s23);

            var x3 = TSimd.Broadcast(rows + k + 3);
            s30 = TSimd.MultiplyAdd(x3, c0, s30);
            if (TColumns.Count > 1)
                s31 = TSimd.MultiplyAdd(x3, c1, s31);
            if (TColumns.Count > 2)
                s32 = TSimd.MultiplyAdd(x3, c2, s32);
            if (TColumns.Count > 3)
                s33 = TSimd.MultiplyAdd(x3, c3, s33);
        }
        int width = TSimd.Width * TColumns.Count;
        Store<TColumns>(target, adds, s00, s01, s02, s03);
        Store<TColumns>(target + width, adds, s10, s11, s12, s13);
        Store<TColumns>(target + 2 * width, adds, s20, s21, s22, s23);
        Store<TColumns>(target + 3 * width, adds, s30, s31, s32, s33);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<TColumns>(float* target, bool adds, TVector s0, TVector s1, TVector s2, TVector s3)
        where TColumns : struct, IColumns
    {
        Store(target, adds, s0);
        if (TColumns.Count > 1)
            Store(target + TSimd.Width, adds, s1);
        if (TColumns.Count > 2)
            Store(target + 2 * TSimd.Width, adds, s2);
        if (TColumns.Count > 3)
            Store(target + 3 * TSimd.Width, adds, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* target, bool adds, TVector sum) =>
        TSimd.Store(adds ? TSimd.Add(TSimd.Load(target), sum) : sum, target);
}
