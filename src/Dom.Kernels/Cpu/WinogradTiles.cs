using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Single tiles of a <see cref="WinogradMap"/> on their way into the transformed domain and out of it, whatever the number of channels: what is left of
/// them behind the last whole vector goes through a packed copy of the tile. Both buffers hold <see cref="WinogradTile{TSimd,TVector}.BufferFloats"/>.
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
        WinogradTile<TSimd, TVector>.Input(window, channels, vectors, _buffer, target, plane, lanes);
        if (rest == 0)
            return;
        window = window.Packed(vectors * lanes, rest, channels, WinogradWindow.Largest, lanes, _packed);
        WinogradTile<TSimd, TVector>.Input(window, lanes, 1, _buffer, target + vectors * lanes, plane, lanes);
    }

    /// <summary>
    /// Transforms products back into the target's channels <paramref name="firstChannel"/> .. + <paramref name="channels"/> of a tile.
    /// </summary>
    public void TransformOutput(float* products, nint plane, int tile, float* target, int firstChannel, int channels)
    {
        int lanes = TSimd.Width, vectors = channels / lanes, rest = channels % lanes;
        nint pixel = map.TargetChannels, rowPitch = map.TargetWidth * pixel;
        var (image, row, column) = map.Place(tile);
        int rows = Math.Min(WinogradMap.TileSide, map.TargetHeight - row), columns = Math.Min(WinogradMap.TileSide, map.TargetWidth - column);
        float* to = target + ((nint)image * map.TargetHeight + row) * rowPitch + column * pixel + firstChannel;
        WinogradTile<TSimd, TVector>.Output(products, plane, vectors, _buffer, to, rowPitch, pixel, rows, columns, streams);
        if (rest == 0)
            return;
        int packedRow = WinogradMap.TileSide * lanes;
        WinogradTile<TSimd, TVector>.Output(products + vectors * lanes, plane, 1, _buffer, _packed, packedRow, lanes, rows, columns, streams: false);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                new ReadOnlySpan<float>(_packed + i * packedRow + j * lanes, rest)
                    .CopyTo(new Span<float>(to + i * rowPitch + j * pixel + vectors * lanes, rest));
    }
}
