using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>Moves single tiles between NHWC tensors and the 36 planes of F(4x4, 3x3), some vectors of channels at a time.</summary>
/// <remarks>
/// A transform goes down the columns into a buffer and then along the rows out of it, for four neighboring vectors of channels at a time: memory
/// is then read and written in runs of 256 bytes, which processors fetch ahead; one vector at a time it took 1.6 times as long. Columns outside the image
/// are zero in the buffer, once for all channels. Distances are in floats: "pixel" from one pixel of a tensor to the next, "plane" from one
/// plane of the transformed domain to the next, "block" from one vector of channels there to the next.
/// </remarks>
internal static unsafe class WinogradTile<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Vectors of channels that are moved at a time.</summary>
    public const int MostVectors = 4;

    private const int Side = 6, OutputSide = 4;

    /// <summary>Floats that a transform needs for its buffer, and a packed window.</summary>
    public static int BufferFloats(WinogradScheme scheme) => scheme.LargestSide * scheme.LargestSide * Cell;

    /// <summary>Floats of the buffer for one place of a tile.</summary>
    private static int Cell
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => MostVectors * TSimd.Width;
    }

    /// <summary>B^T d B of a window of 6x6 pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        int width = TSimd.Width, first = window.FirstColumn, end = window.EndColumn;
        float* row0 = window.Row(0), row1 = window.Row(1), row2 = window.Row(2), row3 = window.Row(3), row4 = window.Row(4), row5 = window.Row(5);
        ClearColumns(first, end, Side, Side, buffer);
        for (int done = 0; done < vectors; done += MostVectors, target += MostVectors * block)
        {
            int count = Math.Min(MostVectors, vectors - done);
            nint at = (nint)done * width + first * pixel;
            float* column = buffer + first * Cell;
            for (int j = first; j < end; j++, at += pixel, column += Cell)
                for (int v = 0; v < count * width; v += width)
                    WinogradTransform<TSimd, TVector>.Input(
                        TSimd.Load(row0 + at + v), TSimd.Load(row1 + at + v), TSimd.Load(row2 + at + v), TSimd.Load(row3 + at + v),
                        TSimd.Load(row4 + at + v), TSimd.Load(row5 + at + v), column + v, Side * Cell);
            float* row = buffer, to = target;
            for (int i = 0; i < Side; i++, row += Side * Cell, to += Side * plane)
                for (int v = 0; v < count; v++)
                {
                    float* cell = row + v * width;
                    WinogradTransform<TSimd, TVector>.Input(
                        TSimd.Load(cell), TSimd.Load(cell + Cell), TSimd.Load(cell + 2 * Cell), TSimd.Load(cell + 3 * Cell),
                        TSimd.Load(cell + 4 * Cell), TSimd.Load(cell + 5 * Cell), to + v * block, plane);
                }
        }
    }

    /// <summary>A y A^T of a window of 4x4 pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        int width = TSimd.Width, first = window.FirstColumn, end = window.EndColumn;
        float* row0 = window.Row(0), row1 = window.Row(1), row2 = window.Row(2), row3 = window.Row(3);
        ClearColumns(first, end, Side, OutputSide, buffer);
        for (int done = 0; done < vectors; done += MostVectors, target += MostVectors * block)
        {
            int count = Math.Min(MostVectors, vectors - done);
            nint at = (nint)done * width + first * pixel;
            float* column = buffer + first * Cell;
            for (int j = first; j < end; j++, at += pixel, column += Cell)
                for (int v = 0; v < count * width; v += width)
                    WinogradTransform<TSimd, TVector>.OutputGradient(
                        TSimd.Load(row0 + at + v), TSimd.Load(row1 + at + v), TSimd.Load(row2 + at + v), TSimd.Load(row3 + at + v),
                        column + v, OutputSide * Cell);
            float* row = buffer, to = target;
            for (int i = 0; i < Side; i++, row += OutputSide * Cell, to += Side * plane)
                for (int v = 0; v < count; v++)
                {
                    float* cell = row + v * width;
                    WinogradTransform<TSimd, TVector>.OutputGradient(
                        TSimd.Load(cell), TSimd.Load(cell + Cell), TSimd.Load(cell + 2 * Cell), TSimd.Load(cell + 3 * Cell), to + v * block, plane);
                }
        }
    }

    /// <summary>A^T m A: the first <paramref name="rows"/> x <paramref name="columns"/> of 4x4 pixels, [row][pixel] apart in the target.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* source, nint plane, int vectors, float* buffer, float* target, nint rowPitch, nint pixel, int rows, int columns, bool streams)
    {
        int width = TSimd.Width;
        for (int done = 0; done < vectors; done += MostVectors, source += Cell, target += Cell)
        {
            int count = Math.Min(MostVectors, vectors - done) * width;
            float* from = source, column = buffer;
            for (int j = 0; j < Side; j++, from += plane, column += Cell)
                for (int v = 0; v < count; v += width)
                    WinogradTransform<TSimd, TVector>.Output(
                        TSimd.Load(from + v), TSimd.Load(from + v + 6 * plane), TSimd.Load(from + v + 12 * plane), TSimd.Load(from + v + 18 * plane),
                        TSimd.Load(from + v + 24 * plane), TSimd.Load(from + v + 30 * plane), column + v, Side * Cell, OutputSide, streams: false);
            float* row = buffer, to = target;
            for (int i = 0; i < rows; i++, row += Side * Cell, to += rowPitch)
                for (int v = 0; v < count; v += width)
                {
                    float* cell = row + v;
                    WinogradTransform<TSimd, TVector>.Output(
                        TSimd.Load(cell), TSimd.Load(cell + Cell), TSimd.Load(cell + 2 * Cell), TSimd.Load(cell + 3 * Cell),
                        TSimd.Load(cell + 4 * Cell), TSimd.Load(cell + 5 * Cell), to + v, pixel, columns, streams);
                }
        }
    }

    /// <summary>Zeros in the columns of a buffer [rows][columns] that are not <paramref name="first"/> .. <paramref name="end"/>.</summary>
    public static void ClearColumns(int first, int end, int rows, int columns, float* buffer)
    {
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                if (j < first || j >= end)
                    new Span<float>(buffer + (i * columns + j) * Cell, Cell).Clear();
    }
}
