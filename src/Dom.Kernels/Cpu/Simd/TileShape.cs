using System.Runtime.Intrinsics;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>How wide the tiles of a kernel are and which code runs them.</summary>
/// <param name="Simd">The vectors.</param>
/// <param name="MaxColumns">Vectors side by side in a full tile.</param>
/// <param name="Rows">Rows of a tile: 4, or 8 where that many are needed to keep enough sums in flight.</param>
internal readonly unsafe record struct TileShape(SimdWidth Simd, int MaxColumns, int Rows = TileShape.FewRows)
{
    /// <summary>Rows of a tile of <see cref="TileKernel{TSimd,TVector,TColumns,TFetch}"/>.</summary>
    public const int FewRows = 4;

    /// <summary>Rows of a tile of <see cref="TallTileKernel{TSimd,TVector,TColumns}"/>.</summary>
    public const int ManyRows = 8;

    /// <summary>Floats in a vector.</summary>
    public int Lanes => (int)Simd / 32;

    /// <summary>Columns of a full tile, in floats.</summary>
    public int Width => Lanes * MaxColumns;

    /// <summary>The tile for a matrix with <paramref name="columns"/> columns on vectors of at most <paramref name="widest"/>.</summary>
    /// <remarks>
    /// A processor that begins two multiply-adds in each cycle and ends them four later needs eight sums that do not wait for each other.
    /// One or two vectors of columns get tiles of eight rows for that, and vectors no wider than the columns.
    /// </remarks>
    public static TileShape For(int columns, SimdWidth widest)
    {
        var simd = widest;
        while (simd > SimdWidth.Bits128 && columns <= (int)simd / 64)
            simd = (SimdWidth)((int)simd / 2);
        return Of(simd, columns);
    }

    /// <summary>The tile for a matrix with <paramref name="columns"/> columns on vectors of exactly this width.</summary>
    public static TileShape Of(SimdWidth simd, int columns)
    {
        int most = SimdSupport.Registers >= 32 ? 4 : 2, lanes = (int)simd / 32, vectors = (columns + lanes - 1) / lanes;
        return vectors <= most / 2 ? new TileShape(simd, most / 2, ManyRows) : new TileShape(simd, most);
    }

    /// <summary>Blocks of at most <see cref="Width"/> columns.</summary>
    public int Blocks(int columns) => (columns + Width - 1) / Width;

    /// <summary>Width in floats of the tile that covers block <paramref name="block"/>, whole vectors.</summary>
    public int WidthOf(int block, int columns) => VectorsOf(block, columns) * Lanes;

    /// <summary>Width in floats of all blocks together.</summary>
    public int PaddedWidth(int columns) => (columns + Lanes - 1) / Lanes * Lanes;

    /// <summary>The code for block <paramref name="block"/>.</summary>
    public delegate*<TileRun*, void> KernelOf(int block, int columns) => KernelOf<FetchesNoLines>(block, columns);

    /// <summary>The code for block <paramref name="block"/> that fetches lines meanwhile; tall tiles fetch none.</summary>
    public delegate*<TileRun*, void> KernelOf<TFetch>(int block, int columns) where TFetch : struct, ILineFetch => Simd switch
    {
        SimdWidth.Bits512 => Kernel<Simd512, Vector512<float>, TFetch>(VectorsOf(block, columns), Rows),
        SimdWidth.Bits256 => Kernel<Simd256, Vector256<float>, TFetch>(VectorsOf(block, columns), Rows),
        _ => Kernel<Simd128, Vector128<float>, TFetch>(VectorsOf(block, columns), Rows),
    };

    /// <summary>The code that sums windows of pixels for block <paramref name="block"/>.</summary>
    public delegate*<WindowRun*, void> WindowKernelOf(int block, int columns) => Simd switch
    {
        SimdWidth.Bits512 => WindowKernel<Simd512, Vector512<float>>(VectorsOf(block, columns), Rows),
        SimdWidth.Bits256 => WindowKernel<Simd256, Vector256<float>>(VectorsOf(block, columns), Rows),
        _ => WindowKernel<Simd128, Vector128<float>>(VectorsOf(block, columns), Rows),
    };

    private int VectorsOf(int block, int columns) => Math.Min(MaxColumns, (columns - block * Width + Lanes - 1) / Lanes);

    private static delegate*<TileRun*, void> Kernel<TSimd, TVector, TFetch>(int vectors, int rows)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TFetch : struct, ILineFetch => vectors switch
        {
            1 when rows == ManyRows => &TallTileKernel<TSimd, TVector, OneColumn>.Run,
            _ when rows == ManyRows => &TallTileKernel<TSimd, TVector, TwoColumns>.Run,
            1 => &TileKernel<TSimd, TVector, OneColumn, TFetch>.Run,
            2 => &TileKernel<TSimd, TVector, TwoColumns, TFetch>.Run,
            3 => &TileKernel<TSimd, TVector, ThreeColumns, TFetch>.Run,
            _ => &TileKernel<TSimd, TVector, FourColumns, TFetch>.Run,
        };

    private static delegate*<WindowRun*, void> WindowKernel<TSimd, TVector>(int vectors, int rows)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct =>
        rows == ManyRows ? TallWindowKernel<TSimd, TVector>.ForColumns(vectors) : Cpu.Simd.WindowKernel<TSimd, TVector>.ForColumns(vectors);
}
