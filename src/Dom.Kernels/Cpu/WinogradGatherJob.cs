using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Computes the target of a <see cref="WinogradPlan"/> where there are many tiles. One task is a block of tiles: their windows are transformed into scratch
/// memory of the worker, multiplied there with the weights, plane by plane, and transformed back straight into the target.
/// </summary>
internal readonly unsafe struct WinogradGatherJob<TSimd, TVector>(
    WinogradPlan plan, int blockTiles, float* source, float* weights, float* target, float** workers, bool streams) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => (plan.Map.Tiles + blockTiles - 1) / blockTiles;

    /// <summary>Floats of scratch memory for a worker: a row of zeros, two buffers, the transformed source and its products.</summary>
    public long WorkerFloats => plan.ZeroFloats + 2 * WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme)
        + plan.Map.Scheme.SourcePlanes * plan.SourcePlane(blockTiles) + plan.Map.Scheme.TargetPlanes * plan.TargetPlane(blockTiles);

    public void Execute(int task, int worker)
    {
        int first = task * blockTiles, count = Math.Min(blockTiles, plan.Map.Tiles - first);
        float* zeros = workers[worker], buffer = zeros + plan.ZeroFloats;
        float* packed = buffer + WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme), input = packed + WinogradTile<TSimd, TVector>.BufferFloats(plan.Map.Scheme);
        nint sourcePlane = (nint)plan.SourcePlane(blockTiles), targetPlane = (nint)plan.TargetPlane(blockTiles);
        float* products = input + plan.Map.Scheme.SourcePlanes * sourcePlane;
        new Span<float>(zeros, plan.ZeroFloats).Clear();
        var tiles = new WinogradTiles<TSimd, TVector>(plan.Map, zeros, buffer, packed, streams);
        for (int i = 0; i < count; i++)
            tiles.TransformInput(source, first + i, input + (nint)i * plan.SourcePitch, sourcePlane);
        Multiply(count, input, sourcePlane, products, targetPlane);
        for (int i = 0; i < count; i++)
            tiles.TransformOutput(products + (nint)i * plan.TargetPitch, targetPlane, first + i, target, 0, plan.Map.TargetChannels);
    }

    private void Multiply(int count, float* input, nint sourcePlane, float* products, nint targetPlane)
    {
        TileRun run = default;
        run.Zeros = workers[0]; // never read: no row of the table is absent
        run.Tiles = (count + plan.Shape.Rows - 1) / plan.Shape.Rows; // rows behind the last tile are computed and not used
        run.Length = plan.Map.SourceChannels;
        run.Table = plan.Table.At(0);
        int blocks = plan.Shape.Blocks(plan.Map.TargetChannels);
        float* panels = weights;
        foreach (var product in plan.Map.Scheme.Products)
        {
            run.Source = input + product.Source * sourcePlane;
            run.Adds = product.Adds;
            for (int block = 0; block < blocks; block++)
            {
                nint channel = (nint)block * plan.Shape.Width;
                run.Panel = panels + channel * plan.Map.SourceChannels;
                run.Target = products + product.Target * targetPlane + channel;
                run.Columns = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
                run.Next = run.Panel + (nint)plan.Map.SourceChannels * run.Columns; // the next block, or with a small gap the next product
                plan.Shape.KernelOf<FetchesAtSteps>(block, plan.Map.TargetChannels)(&run);
            }
            panels += plan.WeightPlane;
        }
    }
}
