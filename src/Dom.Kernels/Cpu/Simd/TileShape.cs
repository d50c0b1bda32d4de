using System.Runtime.Intrinsics;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>How wide the tiles of a kernel are and which code runs them.</summary>
/// <param name="Simd">The vectors.</param>
/// <param name="MaxColumns">Vectors side by side in a full tile.</param>
internal readonly unsafe record struct TileShape(SimdWidth Simd, int MaxColumns)
{
    /// <summary>Floats in a vector.</summary>
    public int Lanes => (int)Simd / 32;

    /// <summary>Columns of a full tile, in floats.</summary>
    public int Width => Lanes * MaxColumns;

    /// <summary>The tile for a matrix with <paramref name="columns"/> columns on vectors of at most <paramref name="widest"/>.</summary>
    /// <remarks>
    /// Few columns get narrower vectors: two of 8 floats, of which a processor computes two at a time, keep more sums in flight than
    /// one of 16, and fewer lanes idle.
    /// </remarks>
    public static TileShape For(int columns, SimdWidth widest)
    {
        var simd = widest;
        while (simd > SimdWidth.Bits128 && columns <= (int)simd / 32)
            simd = (SimdWidth)((int)simd / 2);
        return new TileShape(simd, SimdSupport.Registers >= 32 ? 4 : 2);
    }

    /// <summary>Blocks of at most <see cref="Width"/> columns.</summary>
    public int Blocks(int columns) => (columns + Width - 1) / Width;

    /// <summary>Width in floats of the tile that covers block <paramref name="block"/>, whole vectors.</summary>
    public int WidthOf(int block, int columns) => VectorsOf(block, columns) * Lanes;

    /// <summary>Width in floats of all blocks together.</summary>
    public int PaddedWidth(int columns) => (columns + Lanes - 1) / Lanes * Lanes;

    /// <summary>The code for block <paramref name="block"/>.</summary>
    public delegate*<TileRun*, void> KernelOf(int block, int columns) => Simd switch
    {
        SimdWidth.Bits512 => Kernel<Simd512, Vector512<float>>(VectorsOf(block, columns)),
        SimdWidth.Bits256 => Kernel<Simd256, Vector256<float>>(VectorsOf(block, columns)),
        _ => Kernel<Simd128, Vector128<float>>(VectorsOf(block, columns)),
    };

    /// <summary>The code that sums windows of pixels for block <paramref name="block"/>.</summary>
    public delegate*<WindowRun*, void> WindowKernelOf(int block, int columns) => Simd switch
    {
        SimdWidth.Bits512 => WindowKernel<Simd512, Vector512<float>>.ForColumns(VectorsOf(block, columns)),
        SimdWidth.Bits256 => WindowKernel<Simd256, Vector256<float>>.ForColumns(VectorsOf(block, columns)),
        _ => WindowKernel<Simd128, Vector128<float>>.ForColumns(VectorsOf(block, columns)),
    };

    private int VectorsOf(int block, int columns) => Math.Min(MaxColumns, (columns - block * Width + Lanes - 1) / Lanes);

    private static delegate*<TileRun*, void> Kernel<TSimd, TVector>(int vectors)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct => vectors switch
        {
            1 => &TileKernel<TSimd, TVector, OneColumn>.Run,
            2 => &TileKernel<TSimd, TVector, TwoColumns>.Run,
            3 => &TileKernel<TSimd, TVector, ThreeColumns>.Run,
            _ => &TileKernel<TSimd, TVector, FourColumns>.Run,
        };
}
