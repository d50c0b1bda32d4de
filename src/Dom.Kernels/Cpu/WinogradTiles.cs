using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Single tiles of a <see cref="WinogradMap"/> on their way into the transformed domain and out of it, whatever the number of channels: what is left of
/// them behind the last whole vector goes through a packed copy of the tile. Both buffers hold <see cref="WinogradTile{TSimd,TVector}.BufferFloats"/> of its scheme.
/// Results may be written past the caches, if they are aligned to whole vectors.
/// </summary>
internal readonly unsafe struct WinogradTiles<TSimd, TVector>(WinogradMap map, float* zeros, float* buffer, float* packed, bool streams)
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private readonly float* _zeros = zeros, _buffer = buffer, _packed = packed;

    /// <summary>Transforms the window of the source that belongs to a tile. Channels lie side by side in each plane of the target.</summary>
    public void TransformInput(float* source, int tile, float* target, nint plane)
    {
        int channels = map.SourceChannels, lanes = TSimd.Width, vectors = channels / lanes, rest = channels % lanes;
        var window = map.SourceWindow(source, tile, _zeros);
        Input(map.Scheme, window, channels, vectors, _buffer, target, plane, lanes);
        if (rest == 0)
            return;
        window = window.Packed(vectors * lanes, rest, channels, map.Scheme.SourceSide, lanes, _packed);
        Input(map.Scheme, window, lanes, 1, _buffer, target + vectors * lanes, plane, lanes);
    }

    /// <summary>Transforms a window of the source by the scheme's matrices; distances as in <see cref="WinogradTile{TSimd,TVector}"/>.</summary>
    public static void Input(WinogradScheme scheme, in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        if (scheme == WinogradScheme.Whole)
            WinogradTile<TSimd, TVector>.Input(window, pixel, vectors, buffer, target, plane, block);
        else if (scheme == WinogradScheme.Gather)
            WinogradStridedTile<TSimd, TVector>.Gathered(window, pixel, vectors, buffer, target, plane, block);
        else
            WinogradStridedTile<TSimd, TVector>.Scattered(window, pixel, vectors, buffer, target, plane, block);
    }

    /// <summary>Transforms a window of output gradients, as their products with the inputs need them.</summary>
    public static void OutputGradient(WinogradScheme scheme, in WinogradWindow window, nint pixel, int vectors, float* buffer, float* target, nint plane, nint block)
    {
        if (scheme == WinogradScheme.Whole)
            WinogradTile<TSimd, TVector>.OutputGradient(window, pixel, vectors, buffer, target, plane, block);
        else
            WinogradStridedTile<TSimd, TVector>.OutputGradient(window, pixel, vectors, buffer, target, plane, block);
    }

    /// <summary>
    /// Transforms products back into the target's channels <paramref name="firstChannel"/> .. + <paramref name="channels"/> of a tile.
    /// </summary>
    public void TransformOutput(float* products, nint plane, int tile, float* target, int firstChannel, int channels)
    {
        int lanes = TSimd.Width, vectors = channels / lanes, rest = channels % lanes;
        nint pixel = map.TargetChannels, rowPitch = map.TargetWidth * pixel;
        var (image, row, column) = map.Place(tile);
        int side = map.Scheme.TargetSide, rows = Math.Min(side, map.TargetHeight - row), columns = Math.Min(side, map.TargetWidth - column);
        float* to = target + ((nint)image * map.TargetHeight + row) * rowPitch + column * pixel + firstChannel;
        Output(products, plane, vectors, to, rowPitch, pixel, rows, columns, streams);
        if (rest == 0)
            return;
        int packedRow = side * lanes;
        Output(products + vectors * lanes, plane, 1, _packed, packedRow, lanes, rows, columns, toMemory: false);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                new ReadOnlySpan<float>(_packed + i * packedRow + j * lanes, rest)
                    .CopyTo(new Span<float>(to + i * rowPitch + j * pixel + vectors * lanes, rest));
    }

    private void Output(float* products, nint plane, int vectors, float* target, nint rowPitch, nint pixel, int rows, int columns, bool toMemory)
    {
        if (map.Scheme == WinogradScheme.Whole)
            WinogradTile<TSimd, TVector>.Output(products, plane, vectors, _buffer, target, rowPitch, pixel, rows, columns, toMemory);
        else if (map.Scheme == WinogradScheme.Gather)
            WinogradStridedTile<TSimd, TVector>.GatheredOutput(products, plane, vectors, _buffer, target, rowPitch, pixel, rows, columns, toMemory);
        else
            WinogradStridedTile<TSimd, TVector>.ScatteredOutput(products, plane, vectors, _buffer, target, rowPitch, pixel, rows, columns, toMemory);
    }
}
