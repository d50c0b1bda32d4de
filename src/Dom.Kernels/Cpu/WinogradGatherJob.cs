using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Computes the target of a <see cref="WinogradPlan"/>. One task is a block of tiles: their windows are transformed into scratch memory
/// of the worker, multiplied there with the weights, one product for each of the 36 planes, and transformed back straight into the target.
/// </summary>
internal readonly unsafe struct WinogradGatherJob<TSimd, TVector>(
    WinogradPlan plan, int blockTiles, float* source, float* weights, float* target, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => (plan.Map.Tiles + blockTiles - 1) / blockTiles;

    /// <summary>Floats of scratch memory for a worker: a row of zeros, two buffers, the transformed source and its products.</summary>
    public long WorkerFloats => ZeroFloats + 2 * WinogradTile<TSimd, TVector>.BufferFloats
        + WinogradMap.Planes * (plan.SourcePlane(blockTiles) + plan.TargetPlane(blockTiles));

    private int ZeroFloats => WinogradWindow.Largest * plan.SourcePitch;

    public void Execute(int task, int worker)
    {
        int first = task * blockTiles, count = Math.Min(blockTiles, plan.Map.Tiles - first);
        float* zeros = workers[worker], buffer = zeros + ZeroFloats;
        float* packed = buffer + WinogradTile<TSimd, TVector>.BufferFloats, input = packed + WinogradTile<TSimd, TVector>.BufferFloats;
        float* products = input + WinogradMap.Planes * (nint)plan.SourcePlane(blockTiles);
        new Span<float>(zeros, ZeroFloats).Clear();
        for (int i = 0; i < count; i++)
            TransformInput(first + i, zeros, buffer, packed, input + (nint)i * plan.SourcePitch);
        Multiply(count, input, products);
        for (int i = 0; i < count; i++)
            TransformOutput(first + i, products + (nint)i * plan.TargetPitch, buffer, packed);
    }

    private void TransformInput(int tile, float* zeros, float* buffer, float* packed, float* input)
    {
        int channels = plan.Map.SourceChannels, lanes = TSimd.Width, vectors = channels / lanes, rest = channels % lanes;
        nint plane = (nint)plan.SourcePlane(blockTiles);
        var window = plan.Map.SourceWindow(source, tile, zeros);
        WinogradTile<TSimd, TVector>.Input(window, channels, vectors, buffer, input, plane, lanes);
        if (rest == 0)
            return;
        window = window.Packed(vectors * lanes, rest, channels, WinogradWindow.Largest, lanes, packed);
        WinogradTile<TSimd, TVector>.Input(window, lanes, 1, buffer, input + vectors * lanes, plane, lanes);
    }

    private void Multiply(int count, float* input, float* products)
    {
        TileRun run = default;
        run.Zeros = workers[0]; // never read: no row of the table is absent
        run.Table = plan.Table.At(0);
        run.Tiles = (count + TileTable.TileRows - 1) / TileTable.TileRows; // rows behind the last tile are computed and not used
        run.Length = plan.Map.SourceChannels;
        int blocks = plan.Shape.Blocks(plan.Map.TargetChannels);
        for (int plane = 0; plane < WinogradMap.Planes; plane++)
        {
            run.Source = input + plane * (nint)plan.SourcePlane(blockTiles);
            for (int block = 0; block < blocks; block++)
            {
                nint channel = (nint)block * plan.Shape.Width;
                run.Panel = weights + plane * (nint)plan.WeightPlane + channel * plan.Map.SourceChannels;
                run.Target = products + plane * (nint)plan.TargetPlane(blockTiles) + channel;
                run.Columns = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
                plan.Shape.KernelOf(block, plan.Map.TargetChannels)(&run);
            }
        }
    }

    private void TransformOutput(int tile, float* products, float* buffer, float* packed)
    {
        var map = plan.Map;
        int channels = map.TargetChannels, lanes = TSimd.Width, vectors = channels / lanes, rest = channels % lanes;
        nint plane = (nint)plan.TargetPlane(blockTiles), rowPitch = (nint)map.TargetWidth * channels;
        var (image, row, column) = map.Place(tile);
        int rows = Math.Min(WinogradMap.TileSide, map.TargetHeight - row), columns = Math.Min(WinogradMap.TileSide, map.TargetWidth - column);
        float* to = target + ((nint)image * map.TargetHeight + row) * rowPitch + (nint)column * channels;
        WinogradTile<TSimd, TVector>.Output(products, plane, vectors, buffer, to, rowPitch, channels, rows, columns);
        if (rest == 0)
            return;
        int packedRow = WinogradMap.TileSide * lanes;
        WinogradTile<TSimd, TVector>.Output(products + vectors * lanes, plane, 1, buffer, packed, packedRow, lanes, rows, columns);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++)
                new ReadOnlySpan<float>(packed + i * packedRow + j * lanes, rest)
                    .CopyTo(new Span<float>(to + i * rowPitch + (nint)j * channels + vectors * lanes, rest));
    }
}
