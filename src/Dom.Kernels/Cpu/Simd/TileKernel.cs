using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// The innermost loop of all convolutions: tile[i, :] = sum over segments g and steps k of source[g, i][k] panel[g][k, :], for 4 rows i and up
/// to 4 vectors of columns, all 16 sums in registers.
/// </summary>
/// <remarks>
/// Each step broadcasts 4 floats and loads a row of the panel: 8 loads for 16 multiply-adds, which are then the limit. A table says where the
/// sources of each segment begin, so rows may be any pixels of any image, or the channel planes of a block, and segments that meet only padding are absent.
/// </remarks>
internal static unsafe class TileKernel<TSimd, TVector, TColumns, TFetch>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
    where TColumns : struct, IColumns
    where TFetch : struct, ILineFetch
{
    private const int Rows = TileShape.FewRows, LineFloats = 16;

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
            if (!TFetch.AtSteps && !TFetch.AtSegments && run->NextRows > 0)
                TileEnds.FetchNext(run);
            float* next = run->Next;
            TVector s00 = default, s01 = default, s02 = default, s03 = default;
            TVector s10 = default, s11 = default, s12 = default, s13 = default;
            TVector s20 = default, s21 = default, s22 = default, s23 = default;
            TVector s30 = default, s31 = default, s32 = default, s33 = default;
            for (int segments = tile[TileTable.Segments]; segments > 0; segments--, entry += TileTable.Segment(Rows))
            {
                if (TFetch.AtSegments && Sse.IsSupported)
                    for (int lines = run->NextLines; lines > 0; lines--, next += LineFloats)
                        Sse.Prefetch1(next);
                float* row0 = entry[1] < 0 ? zeros : source + entry[1];
                float* row1 = entry[2] < 0 ? zeros : source + entry[2];
                float* row2 = entry[3] < 0 ? zeros : source + entry[3];
                float* row3 = entry[4] < 0 ? zeros : source + entry[4];
                float* panel = run->Panel + entry[0] * run->PanelPitch;
                for (nint k = 0; k < length; k++, panel += Width)
                {
                    if (TFetch.AtSteps && Sse.IsSupported)
                    {
                        Sse.Prefetch1(next);
                        next += LineFloats;
                    }
                    var panel0 = TSimd.Load(panel);
                    var panel1 = TColumns.Count > 1 ? TSimd.Load(panel + TSimd.Width) : default;
                    var panel2 = TColumns.Count > 2 ? TSimd.Load(panel + 2 * TSimd.Width) : default;
                    var panel3 = TColumns.Count > 3 ? TSimd.Load(panel + 3 * TSimd.Width) : default;

                    var x0 = TSimd.Broadcast(row0 + k);
                    s00 = TSimd.MultiplyAdd(x0, panel0, s00);
                    if (TColumns.Count > 1)
                        s01 = TSimd.MultiplyAdd(x0, panel1, s01);
                    if (TColumns.Count > 2)
                        s02 = TSimd.MultiplyAdd(x0, panel2, s02);
                    if (TColumns.Count > 3)
                        s03 = TSimd.MultiplyAdd(x0, panel3, s03);

                    var x1 = TSimd.Broadcast(row1 + k);
                    s10 = TSimd.MultiplyAdd(x1, panel0, s10);
                    if (TColumns.Count > 1)
                        s11 = TSimd.MultiplyAdd(x1, panel1, s11);
                    if (TColumns.Count > 2)
                        s12 = TSimd.MultiplyAdd(x1, panel2, s12);
                    if (TColumns.Count > 3)
                        s13 = TSimd.MultiplyAdd(x1, panel3, s13);

                    var x2 = TSimd.Broadcast(row2 + k);
                    s20 = TSimd.MultiplyAdd(x2, panel0, s20);
                    if (TColumns.Count > 1)
                        s21 = TSimd.MultiplyAdd(x2, panel1, s21);
                    if (TColumns.Count > 2)
                        s22 = TSimd.MultiplyAdd(x2, panel2, s22);
                    if (TColumns.Count > 3)
                        s23 = TSimd.MultiplyAdd(x2, panel3, s23);

                    var x3 = TSimd.Broadcast(row3 + k);
                    s30 = TSimd.MultiplyAdd(x3, panel0, s30);
                    if (TColumns.Count > 1)
                        s31 = TSimd.MultiplyAdd(x3, panel1, s31);
                    if (TColumns.Count > 2)
                        s32 = TSimd.MultiplyAdd(x3, panel2, s32);
                    if (TColumns.Count > 3)
                        s33 = TSimd.MultiplyAdd(x3, panel3, s33);
                }
            }
            if (TFetch.AtSteps || TFetch.AtSegments)
                run->Next = next;
            if (run->Columns < Width)
            {
                Store(run->Edge, s00, s01, s02, s03);
                Store(run->Edge + Width, s10, s11, s12, s13);
                Store(run->Edge + 2 * Width, s20, s21, s22, s23);
                Store(run->Edge + 3 * Width, s30, s31, s32, s33);
                TileEnds.CopyEdge(run, tile, Width);
                continue;
            }
            if (run->Streams)
            {
                Stream(run->Target + tile[TileTable.Targets], s00, s01, s02, s03);
                if (tile[TileTable.Rows] > 1)
                    Stream(run->Target + tile[TileTable.Targets + 1], s10, s11, s12, s13);
                if (tile[TileTable.Rows] > 2)
                    Stream(run->Target + tile[TileTable.Targets + 2], s20, s21, s22, s23);
                if (tile[TileTable.Rows] > 3)
                    Stream(run->Target + tile[TileTable.Targets + 3], s30, s31, s32, s33);
                continue;
            }
            bool adds = run->Adds;
            int rows = tile[TileTable.Rows]; // those past the last are copies of it and must not be added twice
            float* target = run->Target;
            Store(target + tile[TileTable.Targets], adds, s00, s01, s02, s03);
            if (rows > 1)
                Store(target + tile[TileTable.Targets + 1], adds, s10, s11, s12, s13);
            if (rows > 2)
                Store(target + tile[TileTable.Targets + 2], adds, s20, s21, s22, s23);
            if (rows > 3)
                Store(target + tile[TileTable.Targets + 3], adds, s30, s31, s32, s33);
        }
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* target, bool adds, TVector s0, TVector s1, TVector s2, TVector s3)
    {
        if (adds)
        {
            s0 = TSimd.Add(s0, TSimd.Load(target));
            if (TColumns.Count > 1)
                s1 = TSimd.Add(s1, TSimd.Load(target + TSimd.Width));
            if (TColumns.Count > 2)
                s2 = TSimd.Add(s2, TSimd.Load(target + 2 * TSimd.Width));
            if (TColumns.Count > 3)
                s3 = TSimd.Add(s3, TSimd.Load(target + 3 * TSimd.Width));
        }
        Store(target, s0, s1, s2, s3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* target, TVector s0, TVector s1, TVector s2, TVector s3)
    {
        TSimd.Store(s0, target);
        if (TColumns.Count > 1)
            TSimd.Store(s1, target + TSimd.Width);
        if (TColumns.Count > 2)
            TSimd.Store(s2, target + 2 * TSimd.Width);
        if (TColumns.Count > 3)
            TSimd.Store(s3, target + 3 * TSimd.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Stream(float* target, TVector s0, TVector s1, TVector s2, TVector s3)
    {
        TSimd.StoreStreaming(s0, target);
        if (TColumns.Count > 1)
            TSimd.StoreStreaming(s1, target + TSimd.Width);
        if (TColumns.Count > 2)
            TSimd.StoreStreaming(s2, target + 2 * TSimd.Width);
        if (TColumns.Count > 3)
            TSimd.StoreStreaming(s3, target + 3 * TSimd.Width);
    }
}
