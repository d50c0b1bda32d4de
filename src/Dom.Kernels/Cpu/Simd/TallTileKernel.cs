using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// The twin of <see cref="TileKernel{TSimd,TVector,TColumns,TFetch}"/> for few columns: 8 rows and one or two vectors of columns, so that 8 or 16 sums are in
/// flight where 4 rows would have 4 or 8, and each row of the panel serves twice as many products.
/// </summary>
internal static unsafe class TallTileKernel<TSimd, TVector, TColumns>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
    where TColumns : struct, IColumns
{
    private const int Rows = TileShape.ManyRows, LineFloats = 16;

    private static int Width
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TSimd.Width * TColumns.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(TileRun* run)
    {
        int* entry = run->Table;
        float* source = run->Source, zeros = run->Zeros;
        for (int tiles = run->Tiles; tiles > 0; tiles--)
        {
            int* tile = entry;
            nint length = (nint)tile[TileTable.Length] * run->Length;
            entry += TileTable.Header(Rows);
            if (run->Fetches && tiles > 1)
                Fetch(run, entry + TileTable.Segment(Rows) + TileTable.Header(Rows));
            if (run->NextRows > 0)
                TileEnds.FetchNext(run);
            TVector s00 = default, s10 = default, s20 = default, s30 = default, s40 = default, s50 = default, s60 = default, s70 = default;
            TVector s01 = default, s11 = default, s21 = default, s31 = default, s41 = default, s51 = default, s61 = default, s71 = default;
            for (int segments = tile[TileTable.Segments]; segments > 0; segments--, entry += TileTable.Segment(Rows))
            {
                float* row0 = entry[1] < 0 ? zeros : source + entry[1], row1 = entry[2] < 0 ? zeros : source + entry[2];
                float* row2 = entry[3] < 0 ? zeros : source + entry[3], row3 = entry[4] < 0 ? zeros : source + entry[4];
                float* row4 = entry[5] < 0 ? zeros : source + entry[5], row5 = entry[6] < 0 ? zeros : source + entry[6];
                float* row6 = entry[7] < 0 ? zeros : source + entry[7], row7 = entry[8] < 0 ? zeros : source + entry[8];
                float* panel = run->Panel + entry[0] * run->PanelPitch;
                for (nint k = 0; k < length; k++, panel += Width)
                {
                    var panel0 = TSimd.Load(panel);
                    var panel1 = TColumns.Count > 1 ? TSimd.Load(panel + TSimd.Width) : default;
                    TallSums<TSimd, TVector, TColumns>.Add(row0 + k, panel0, panel1, ref s00, ref s01);
                    TallSums<TSimd, TVector, TColumns>.Add(row1 + k, panel0, panel1, ref s10, ref s11);
                    TallSums<TSimd, TVector, TColumns>.Add(row2 + k, panel0, panel1, ref s20, ref s21);
                    TallSums<TSimd, TVector, TColumns>.Add(row3 + k, panel0, panel1, ref s30, ref s31);
                    TallSums<TSimd, TVector, TColumns>.Add(row4 + k, panel0, panel1, ref s40, ref s41);
                    TallSums<TSimd, TVector, TColumns>.Add(row5 + k, panel0, panel1, ref s50, ref s51);
                    TallSums<TSimd, TVector, TColumns>.Add(row6 + k, panel0, panel1, ref s60, ref s61);
                    TallSums<TSimd, TVector, TColumns>.Add(row7 + k, panel0, panel1, ref s70, ref s71);
                }
            }
            bool isWhole = run->Columns == Width;
            Store(run, tile, 0, isWhole, s00, s01);
            Store(run, tile, 1, isWhole, s10, s11);
            Store(run, tile, 2, isWhole, s20, s21);
            Store(run, tile, 3, isWhole, s30, s31);
            Store(run, tile, 4, isWhole, s40, s41);
            Store(run, tile, 5, isWhole, s50, s51);
            Store(run, tile, 6, isWhole, s60, s61);
            Store(run, tile, 7, isWhole, s70, s71);
            if (!isWhole)
                TileEnds.CopyEdge(run, tile, Width);
        }
    }

    /// <summary>Stores a row where it belongs, or beside the others at the edge if some of its columns do not exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(TileRun* run, int* tile, int row, bool isWhole, TVector sum0, TVector sum1)
    {
        if (row >= tile[TileTable.Rows])
            return; // rows past the last are copies of it and must not be added twice
        float* target = isWhole ? run->Target + tile[TileTable.Targets + row] : run->Edge + row * Width;
        if (isWhole && run->Streams)
        {
            TSimd.StoreStreaming(sum0, target);
            if (TColumns.Count > 1)
                TSimd.StoreStreaming(sum1, target + TSimd.Width);
            return;
        }
        TallSums<TSimd, TVector, TColumns>.Store(target, isWhole && run->Adds, sum0, sum1);
    }

    /// <summary>Brings the sources of a segment into the cache while the tile before it computes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(TileRun* run, int* segment)
    {
        if (!Sse.IsSupported)
            return;
        for (int row = 1; row <= Rows; row++)
            for (nint k = 0; k < run->Length; k += LineFloats)
                Sse.Prefetch0(run->Source + segment[row] + k);
    }
}
