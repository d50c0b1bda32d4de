using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>Transforms all windows of the source for a <see cref="WinogradStationaryJob{TSimd,TVector}"/>. One task is a few tiles.</summary>
internal readonly unsafe struct WinogradSourceJob<TSimd, TVector>(WinogradPlan plan, float* source, float* transformed, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int TaskTiles = 4;

    public int Tasks => (plan.Map.Tiles + TaskTiles - 1) / TaskTiles;

    /// <summary>Floats of scratch memory for a worker: a row of zeros and two buffers.</summary>
    public static long WorkerFloats(WinogradPlan plan) => plan.ZeroFloats + 2 * WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme);

    public void Execute(int task, int worker)
    {
        float* zeros = workers[worker], buffer = zeros + plan.ZeroFloats, packed = buffer + WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme);
        new Span<float>(zeros, plan.ZeroFloats).Clear();
        var tiles = new WinogradTiles<TSimd, TVector>(plan.Map, zeros, buffer, packed, streams: false);
        for (int tile = task * TaskTiles; tile < Math.Min(plan.Map.Tiles, (task + 1) * TaskTiles); tile++)
            tiles.TransformInput(source, tile, transformed + (nint)tile * plan.SourcePitch, (nint)plan.SourcePlane(plan.AllTiles));
    }
}

/// <summary>
/// Computes the target of a <see cref="WinogradPlan"/> where there are few tiles for the number of channels: then the planes of weights are larger than
/// all else, and writing them to memory and reading them back would take as long as the products. One task is a block of target channels and a group of
/// tiles: it transforms the weights of its block into scratch memory of the worker, which a cache holds, and uses them at once. Weights that are held
/// constant come transformed (<see cref="WinogradPanelsJob{TSimd,TVector}"/>): reading them takes half as long as transforming them.
/// </summary>
/// <remarks>Sums go over the source channels in their order, in pieces that depend on the sizes alone: the same bits for groups of any size.</remarks>
internal readonly unsafe struct WinogradStationaryJob<TSimd, TVector>(
    WinogradPlan plan, int groupTiles, WinogradWeights<TSimd, TVector> weights, float* panels, float* transformed, float* target, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => Groups * plan.Shape.Blocks(plan.Map.TargetChannels);

    private int Groups => (plan.Map.Tiles + groupTiles - 1) / groupTiles;

    /// <summary>Floats of scratch memory for a worker: two buffers, room to transform weights, those of a block, and its products.</summary>
    public long WorkerFloats => 2 * WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme) + WinogradWeights<TSimd, TVector>.ScratchFloats
        + (panels is null ? plan.PanelFloats : 0) + plan.Map.Scheme.TargetPlanes * plan.BlockTargetPlane(groupTiles);

    public void Execute(int task, int worker)
    {
        int block = task / Groups, first = task % Groups * groupTiles, count = Math.Min(groupTiles, plan.Map.Tiles - first);
        int channel = block * plan.Shape.Width, channels = Math.Min(plan.Shape.Width, plan.Map.TargetChannels - channel);
        int width = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        float* buffer = workers[worker], packed = buffer + WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme);
        float* scratch = packed + WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme), panel = scratch + WinogradWeights<TSimd, TVector>.ScratchFloats;
        float* products = panels is null ? panel + (nint)plan.PanelFloats : panel;
        nint targetPlane = (nint)plan.BlockTargetPlane(groupTiles);
        for (int piece = 0; piece < plan.Pieces; piece++)
        {
            int start = piece * plan.BlockChunks, end = Math.Min(weights.Chunks, start + plan.BlockChunks);
            int channel0 = start * WinogradWeights<TSimd, TVector>.Chunk;
            if (panels is null)
                weights.TransformPiece(block, start, end, scratch, panel, (nint)plan.BlockWeightPlane);
            else
                panel = panels + (block * plan.Pieces + piece) * (nint)plan.PanelFloats;
            int length = Math.Min(plan.Map.SourceChannels, end * WinogradWeights<TSimd, TVector>.Chunk) - channel0;
            Multiply(block, first, count, channel0, length, panel, products, targetPlane);
        }
        var tiles = new WinogradTiles<TSimd, TVector>(plan.Map, null, buffer, packed, streams: false);
        for (int i = 0; i < count; i++)
            tiles.TransformOutput(products + (nint)i * plan.Shape.Width, targetPlane, first + i, target, channel, channels);
    }

    /// <summary>Adds the products with some of the source channels to those of the channels before them.</summary>
    private void Multiply(int block, int first, int count, int channel, int length, float* panel, float* products, nint targetPlane)
    {
        TileRun run = default;
        run.Zeros = workers[0]; // never read: no row of the table is absent
        run.Length = length;
        run.Columns = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        run.Table = plan.BlockTable.At(0);
        run.Panel = panel;
        var kernel = panels is null
            ? plan.Shape.KernelOf(block, plan.Map.TargetChannels)
            : plan.Shape.KernelOf<FetchesAtSteps>(block, plan.Map.TargetChannels);
        foreach (var product in plan.Map.Scheme.Products)
        {
            run.Adds = channel > 0 || product.Adds;
            run.Next = run.Panel + plan.BlockWeightPlane; // behind the last product lies the next piece
            for (int done = 0; done < count; done += WinogradPlan.MostTiles)
            {
                run.Tiles = (Math.Min(WinogradPlan.MostTiles, count - done) + plan.Shape.Rows - 1) / plan.Shape.Rows;
                run.Source = transformed + product.Source * (nint)plan.SourcePlane(plan.AllTiles) + (nint)(first + done) * plan.SourcePitch + channel;
                run.Target = products + product.Target * targetPlane + (nint)done * plan.Shape.Width;
                kernel(&run);
            }
            run.Panel += plan.BlockWeightPlane;
        }
    }
}

/// <summary>Transforms all weights for a <see cref="WinogradStationaryJob{TSimd,TVector}"/>. One task is a block of target channels and a piece of source channels.</summary>
internal readonly unsafe struct WinogradPanelsJob<TSimd, TVector>(
    WinogradPlan plan, WinogradWeights<TSimd, TVector> weights, float* panels, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => plan.Shape.Blocks(plan.Map.TargetChannels) * plan.Pieces;

    public void Execute(int task, int worker)
    {
        int block = task / plan.Pieces, start = task % plan.Pieces * plan.BlockChunks, end = Math.Min(weights.Chunks, start + plan.BlockChunks);
        weights.TransformPiece(block, start, end, workers[worker], panels + task * (nint)plan.PanelFloats, (nint)plan.BlockWeightPlane);
    }
}
