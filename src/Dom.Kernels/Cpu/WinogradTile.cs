using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>Moves single tiles between NHWC tensors and the 36 planes of the transformed domain, some vectors of channels at a time.</summary>
/// <remarks>
/// A transform goes down the columns into a buffer of 36 vectors and then along the rows out of it. Columns outside the image
/// are zero in the buffer, once for all channels. Distances are in floats: "pixel" from one pixel of a tensor to the next, "plane" from one
/// plane of the transformed domain to the next, "block" from one vector of channels there to the next.
/// </remarks>
internal static unsafe class WinogradTile<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Side = WinogradWindow.Largest, OutputSide = WinogradMap.TileSide;

    /// <summary>Floats that a transform needs for its buffer, and a packed window.</summary>
    public static int BufferFloats => Side * Side * TSimd.Width;

    /// <summary>B^T d B of a window of 6x6 pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Input(in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        int width = TSimd.Width, first = window.FirstColumn, end = window.EndColumn;
        float* row0 = window.Row(0), row1 = window.Row(1), row2 = window.Row(2), row3 = window.Row(3), row4 = window.Row(4), row5 = window.Row(5);
        ClearColumns(first, end, Side, buffer);
        for (int vector = 0; vector < vectors; vector++, target += block)
        {
            nint at = (nint)vector * width + first * pixel;
            float* column = buffer + first * width;
            for (int j = first; j < end; j++, at += pixel, column += width)
                WinogradTransform<TSimd, TVector>.Input(
                    TSimd.Load(row0 + at), TSimd.Load(row1 + at), TSimd.Load(row2 + at), TSimd.Load(row3 + at), TSimd.Load(row4 + at),
                    TSimd.Load(row5 + at), column, Side * width);
            float* row = buffer, to = target;
            for (int i = 0; i < Side; i++, row += Side * width, to += Side * plane)
                WinogradTransform<TSimd, TVector>.Input(
                    TSimd.Load(row), TSimd.Load(row + width), TSimd.Load(row + 2 * width), TSimd.Load(row + 3 * width),
                    TSimd.Load(row + 4 * width), TSimd.Load(row + 5 * width), to, plane);
        }
    }

    /// <summary>A y A^T of a window of 4x4 pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        int width = TSimd.Width, first = window.FirstColumn, end = window.EndColumn;
        float* row0 = window.Row(0), row1 = window.Row(1), row2 = window.Row(2), row3 = window.Row(3);
        ClearColumns(first, end, OutputSide, buffer);
        for (int vector = 0; vector < vectors; vector++, target += block)
        {
            nint at = (nint)vector * width + first * pixel;
            float* column = buffer + first * width;
            for (int j = first; j < end; j++, at += pixel, column += width)
                WinogradTransform<TSimd, TVector>.OutputGradient(
                    TSimd.Load(row0 + at), TSimd.Load(row1 + at), TSimd.Load(row2 + at), TSimd.Load(row3 + at), column, OutputSide * width);
            float* row = buffer, to = target;
            for (int i = 0; i < Side; i++, row += OutputSide * width, to += Side * plane)
                WinogradTransform<TSimd, TVector>.OutputGradient(
                    TSimd.Load(row), TSimd.Load(row + width), TSimd.Load(row + 2 * width), TSimd.Load(row + 3 * width), to, plane);
        }
    }

    /// <summary>A^T m A: the first <paramref name="rows"/> x <paramref name="columns"/> of 4x4 pixels, [row][pixel] apart in the target.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Output(float* source, nint plane, int vectors, float* buffer, float* target, nint rowPitch, nint pixel, int rows, int columns)
    {
        int width = TSimd.Width;
        for (int vector = 0; vector < vectors; vector++, source += width, target += width)
        {
            float* from = source, column = buffer;
            for (int j = 0; j < Side; j++, from += plane, column += width)
                WinogradTransform<TSimd, TVector>.Output(
                    TSimd.Load(from), TSimd.Load(from + 6 * plane), TSimd.Load(from + 12 * plane), TSimd.Load(from + 18 * plane),
                    TSimd.Load(from + 24 * plane), TSimd.Load(from + 30 * plane), column, Side * width, OutputSide);
            float* row = buffer, to = target;
            for (int i = 0; i < rows; i++, row += Side * width, to += rowPitch)
                WinogradTransform<TSimd, TVector>.Output(
                    TSimd.Load(row), TSimd.Load(row + width), TSimd.Load(row + 2 * width), TSimd.Load(row + 3 * width),
                    TSimd.Load(row + 4 * width), TSimd.Load(row + 5 * width), to, pixel, columns);
        }
    }

    private static void ClearColumns(int first, int end, int side, float* buffer)
    {
        for (int i = 0; i < Side; i++)
            for (int j = 0; j < side; j++)
                if (j < first || j >= end)
                    TSimd.Store(default, buffer + (i * side + j) * TSimd.Width);
    }
}
