using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>The sums of one product of planes: for some inputs and a block of outputs, over the tiles of a batch.</summary>
internal static unsafe class WinogradGradientProducts<TSimd, TVector>
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>The sums of all inputs of a product, block <paramref name="block"/>; the pointers are where the first plane begins.</summary>
    public static void Add(
        WinogradWeightGradientPlan plan, WinogradProduct product, int block, int tiles, bool adds, float* inputs, float* outputs, float* sums)
    {
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        Add(
            plan, tiles, adds, inputs + product.Source * (nint)plan.InputPlane, 0, plan.InputPitch, outputs + product.Target * (nint)plan.OutputPlane, channel, width,
            sums + product.Point * (nint)plan.SumPlane + (nint)channel * plan.InputPitch);
    }

    /// <summary>sums [input - first][output - channel] (+)= products over the tiles, by runs that are summed in registers.</summary>
    public static void Add(
        WinogradWeightGradientPlan plan, int tiles, bool adds, float* inputs, int first, int end, float* outputs, int channel, int width, float* sums)
    {
        int vectors = width / TSimd.Width;
        bool isTall = vectors <= 2 && TSimd.Width >= TallOuterProduct<TSimd, TVector>.Rows; // then a vector of inputs is whole tiles
        var kernel = isTall ? TallOuterProduct<TSimd, TVector>.ForColumns(vectors) : OuterProduct<TSimd, TVector>.ForColumns(vectors);
        int rows = isTall ? TallOuterProduct<TSimd, TVector>.Rows : OuterProduct<TSimd, TVector>.Rows;
        nint vectorPitch = (nint)plan.BatchTiles * TSimd.Width;
        float* columns = outputs + channel / TSimd.Width * vectorPitch;
        for (int start = 0; start < tiles; start += WinogradWeightGradientPlan.RunTiles, adds = true)
        {
            int count = Math.Min(WinogradWeightGradientPlan.RunTiles, tiles - start);
            nint offset = (nint)start * TSimd.Width;
            for (int c = first; c < end; c += rows)
                kernel(
                    inputs + c / TSimd.Width * vectorPitch + c % TSimd.Width + offset, columns + offset, vectorPitch, count,
                    sums + (nint)(c - first) * width, adds);
        }
    }
}

/// <summary>
/// Adds the products of a batch of tiles to the sums of a <see cref="WinogradWeightGradientPlan"/>. One task is a product of planes and a block of
/// outputs: it alone writes their sums.
/// </summary>
internal readonly unsafe struct WinogradGradientProductsJob<TSimd, TVector>(
    WinogradWeightGradientPlan plan, bool isFirst, int tiles, float* inputs, float* outputs, float* sums) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => plan.SumPlanes * plan.OutputBlocks;

    public void Execute(int task, int worker)
    {
        int block = task % plan.OutputBlocks;
        WinogradGradientProducts<TSimd, TVector>.Add(plan, plan.Map.Scheme.Products[task / plan.OutputBlocks], block, tiles, !isFirst, inputs, outputs, sums);
    }
}

/// <summary>
/// The same where one batch holds all tiles: one task is a block of outputs and some inputs, whose sums in all planes stay in the second-level cache of
/// the worker until they are finished. The sums of all blocks together would be written to memory and read back.
/// </summary>
internal readonly unsafe struct WinogradGradientBlockJob<TSimd, TVector>(
    WinogradWeightGradientPlan plan, WinogradGradientFinish<TSimd, TVector> finish, float* inputs, float* outputs, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private const int Chunks = 4, Inputs = Chunks * WinogradGradientFinish<TSimd, TVector>.Chunk, PlaneGap = 16;

    public int Tasks => plan.OutputBlocks * Parts;

    private int Parts => (plan.Map.SourceChannels + Inputs - 1) / Inputs;

    private int SumPlane => Inputs * plan.Shape.Width + PlaneGap;

    /// <summary>Floats of scratch memory for a worker: sums, and room to finish them.</summary>
    public long WorkerFloats => plan.SumPlanes * (long)SumPlane + WinogradGradientFinish<TSimd, TVector>.ScratchFloats;

    public void Execute(int task, int worker)
    {
        int block = task / Parts, first = task % Parts * Inputs, end = Math.Min(plan.InputPitch, first + Inputs);
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        float* sums = workers[worker], scratch = sums + plan.SumPlanes * (nint)SumPlane;
        foreach (var product in plan.Map.Scheme.Products)
            WinogradGradientProducts<TSimd, TVector>.Add(
                plan, plan.Map.Tiles, false, inputs + product.Source * (nint)plan.InputPlane, first, end,
                outputs + product.Target * (nint)plan.OutputPlane, channel, width, sums + product.Point * (nint)SumPlane);
        for (int chunk = first / WinogradGradientFinish<TSimd, TVector>.Chunk; chunk < Math.Min(finish.Chunks, (first + Inputs) / WinogradGradientFinish<TSimd, TVector>.Chunk); chunk++)
            finish.Store(block, chunk, sums + (nint)(chunk * WinogradGradientFinish<TSimd, TVector>.Chunk - first) * width, SumPlane, scratch);
    }
}
