using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// <see cref="WinogradTile{TSimd,TVector}"/> for stride 2: the same way of moving a tile, down the columns into a buffer and along the rows out of it, four
/// neighboring vectors of channels at a time, with the transforms of <see cref="WinogradStridedTransform{TSimd,TVector}"/>. Distances as there.
/// </summary>
internal static unsafe class WinogradStridedTile<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Five = WinogradStridedTransform<TSimd, TVector>.Five, Nine = WinogradStridedTransform<TSimd, TVector>.Nine;
    private const int MostVectors = WinogradTile<TSimd, TVector>.MostVectors, OutputSide = 4, ScatteredSide = 8;

    private static int Cell
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => MostVectors * TSimd.Width;
    }

    /// <summary>Transforms 9x9 pixels of a source to 9x9 planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gathered(in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        int width = TSimd.Width, first = window.FirstColumn, end = window.EndColumn;
        float* row0 = window.Row(0), row1 = window.Row(1), row2 = window.Row(2), row3 = window.Row(3), row4 = window.Row(4);
        float* row5 = window.Row(5), row6 = window.Row(6), row7 = window.Row(7), row8 = window.Row(8);
        WinogradTile<TSimd, TVector>.ClearColumns(first, end, Nine, Nine, buffer);
        for (int done = 0; done < vectors; done += MostVectors, target += MostVectors * block)
        {
            int count = Math.Min(MostVectors, vectors - done);
            nint at = (nint)done * width + first * pixel;
            float* column = buffer + first * Cell;
            for (int j = first; j < end; j++, at += pixel, column += Cell)
                for (int v = 0; v < count * width; v += width)
                {
                    WinogradStridedTransform<TSimd, TVector>.Input(
                        TSimd.Load(row0 + at + v), TSimd.Load(row2 + at + v), TSimd.Load(row4 + at + v), TSimd.Load(row6 + at + v),
                        TSimd.Load(row8 + at + v), column + v, Nine * Cell);
                    WinogradStridedTransform<TSimd, TVector>.Input(
                        TSimd.Load(row1 + at + v), TSimd.Load(row3 + at + v), TSimd.Load(row5 + at + v), TSimd.Load(row7 + at + v),
                        column + v + Five * Nine * Cell, Nine * Cell);
                }
            float* row = buffer, to = target;
            for (int i = 0; i < Nine; i++, row += Nine * Cell, to += Nine * plane)
                for (int v = 0; v < count; v++)
                {
                    float* cell = row + v * width, planes = to + v * block;
                    WinogradStridedTransform<TSimd, TVector>.Input(
                        TSimd.Load(cell), TSimd.Load(cell + 2 * Cell), TSimd.Load(cell + 4 * Cell), TSimd.Load(cell + 6 * Cell),
                        TSimd.Load(cell + 8 * Cell), planes, plane);
                    WinogradStridedTransform<TSimd, TVector>.Input(
                        TSimd.Load(cell + Cell), TSimd.Load(cell + 3 * Cell), TSimd.Load(cell + 5 * Cell), TSimd.Load(cell + 7 * Cell),
                        planes + Five * plane, plane);
                }
        }
    }

    /// <summary>Transforms 5x5 pixels of an output gradient that is a source to 5x5 planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scattered(in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        int width = TSimd.Width, first = window.FirstColumn, end = window.EndColumn;
        float* row0 = window.Row(0), row1 = window.Row(1), row2 = window.Row(2), row3 = window.Row(3), row4 = window.Row(4);
        WinogradTile<TSimd, TVector>.ClearColumns(first, end, Five, Five, buffer);
        for (int done = 0; done < vectors; done += MostVectors, target += MostVectors * block)
        {
            int count = Math.Min(MostVectors, vectors - done);
            nint at = (nint)done * width + first * pixel;
            float* column = buffer + first * Cell;
            for (int j = first; j < end; j++, at += pixel, column += Cell)
                for (int v = 0; v < count * width; v += width)
                    WinogradStridedTransform<TSimd, TVector>.Input(
                        TSimd.Load(row0 + at + v), TSimd.Load(row1 + at + v), TSimd.Load(row2 + at + v), TSimd.Load(row3 + at + v),
                        TSimd.Load(row4 + at + v), column + v, Five * Cell);
            float* row = buffer, to = target;
            for (int i = 0; i < Five; i++, row += Five * Cell, to += Five * plane)
                for (int v = 0; v < count; v++)
                {
                    float* cell = row + v * width;
                    WinogradStridedTransform<TSimd, TVector>.Input(
                        TSimd.Load(cell), TSimd.Load(cell + Cell), TSimd.Load(cell + 2 * Cell), TSimd.Load(cell + 3 * Cell), TSimd.Load(cell + 4 * Cell),
                        to + v * block, plane);
                }
        }
    }

    /// <summary>A y A^T of a window of 4x4 pixels: 5x5 planes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void OutputGradient(in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        int width = TSimd.Width, first = window.FirstColumn, end = window.EndColumn;
        float* row0 = window.Row(0), row1 = window.Row(1), row2 = window.Row(2), row3 = window.Row(3);
        WinogradTile<TSimd, TVector>.ClearColumns(first, end, Five, OutputSide, buffer);
        for (int done = 0; done < vectors; done += MostVectors, target += MostVectors * block)
        {
            int count = Math.Min(MostVectors, vectors - done);
            nint at = (nint)done * width + first * pixel;
            float* column = buffer + first * Cell;
            for (int j = first; j < end; j++, at += pixel, column += Cell)
                for (int v = 0; v < count * width; v += width)
                    WinogradStridedTransform<TSimd, TVector>.OutputGradient(
                        TSimd.Load(row0 + at + v), TSimd.Load(row1 + at + v), TSimd.Load(row2 + at + v), TSimd.Load(row3 + at + v),
                        column + v, OutputSide * Cell);
            float* row = buffer, to = target;
            for (int i = 0; i < Five; i++, row += OutputSide * Cell, to += Five * plane)
                for (int v = 0; v < count; v++)
                {
                    float* cell = row + v * width;
                    WinogradStridedTransform<TSimd, TVector>.OutputGradient(
                        TSimd.Load(cell), TSimd.Load(cell + Cell), TSimd.Load(cell + 2 * Cell), TSimd.Load(cell + 3 * Cell), to + v * block, plane);
                }
        }
    }

    /// <summary>From 5x5 planes the first <paramref name="rows"/> x <paramref name="columns"/> of 4x4 pixels.</summary>
    public static void GatheredOutput(float* source, nint plane, int vectors, float* buffer, float* target, nint rowPitch, nint pixel, int rows, int columns, bool streams) =>
        Output<GatheredAxis>(source, plane, vectors, buffer, target, rowPitch, pixel, rows, columns, streams);

    /// <summary>From 9x9 planes the first <paramref name="rows"/> x <paramref name="columns"/> of 8x8 pixels.</summary>
    public static void ScatteredOutput(float* source, nint plane, int vectors, float* buffer, float* target, nint rowPitch, nint pixel, int rows, int columns, bool streams) =>
        Output<ScatteredAxis>(source, plane, vectors, buffer, target, rowPitch, pixel, rows, columns, streams);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Output<TAxis>(float* source, nint plane, int vectors, float* buffer, float* target, nint rowPitch, nint pixel, int rows, int columns, bool streams)
        where TAxis : struct, IOutputAxis
    {
        int width = TSimd.Width;
        for (int done = 0; done < vectors; done += MostVectors, source += Cell, target += Cell)
        {
            int count = Math.Min(MostVectors, vectors - done) * width;
            float* from = source, column = buffer;
            for (int j = 0; j < TAxis.Points; j++, from += plane, column += Cell)
                for (int v = 0; v < count; v += width)
                    TAxis.Transform(from + v, TAxis.Points * plane, column + v, TAxis.Points * Cell, TAxis.Pixels, streams: false);
            float* row = buffer, to = target;
            for (int i = 0; i < rows; i++, row += TAxis.Points * Cell, to += rowPitch)
                for (int v = 0; v < count; v += width)
                    TAxis.Transform(row + v, Cell, to + v, pixel, columns, streams);
        }
    }

    /// <summary>The way back along one side of a tile: from points, a step apart, to the first so many pixels, a pitch apart.</summary>
    private interface IOutputAxis
    {
        static abstract int Points { get; }

        static abstract int Pixels { get; }

        static abstract void Transform(float* source, nint step, float* target, nint pitch, int count, bool streams);
    }

    private readonly struct GatheredAxis : IOutputAxis
    {
        public static int Points => Five;

        public static int Pixels => OutputSide;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Transform(float* source, nint step, float* target, nint pitch, int count, bool streams) =>
            WinogradStridedTransform<TSimd, TVector>.Output(
                TSimd.Load(source), TSimd.Load(source + step), TSimd.Load(source + 2 * step), TSimd.Load(source + 3 * step), TSimd.Load(source + 4 * step),
                target, pitch, count, streams);
    }

    /// <summary>Even pixels meet the middle tap, whose points come last; odd ones the outer two.</summary>
    private readonly struct ScatteredAxis : IOutputAxis
    {
        public static int Points => Nine;

        public static int Pixels => ScatteredSide;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Transform(float* source, nint step, float* target, nint pitch, int count, bool streams)
        {
            GatheredAxis.Transform(source, step, target + pitch, 2 * pitch, count / 2, streams);
            source += Five * step;
            WinogradStridedTransform<TSimd, TVector>.Output(
                TSimd.Load(source), TSimd.Load(source + step), TSimd.Load(source + 2 * step), TSimd.Load(source + 3 * step), target, 2 * pitch, (count + 1) / 2, streams);
        }
    }
}
