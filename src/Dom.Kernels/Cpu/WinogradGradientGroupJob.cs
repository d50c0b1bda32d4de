using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Transforms the tiles of a group of a <see cref="WinogradWeightGradientPlan"/> and adds their products to the sums of the group, a few tiles at a time:
/// what a thread transformed it finds in its own second-level cache. One task is a group.
/// </summary>
internal readonly unsafe struct WinogradGradientGroupJob<TSimd, TVector>(
    WinogradWeightGradientPlan plan, float* x, float* dy, float* sums, float** workers) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    /// <summary>Floats of scratch memory for a worker: what a transform needs, and the transformed tiles.</summary>
    public long WorkerFloats =>
        WinogradGradientTransformJob<TSimd, TVector>.WorkerFloats(plan) + plan.InputPlanes * plan.InputPlane + plan.OutputPlanes * plan.OutputPlane;

    public void Execute(int task, int worker)
    {
        float* inputs = workers[worker] + WinogradGradientTransformJob<TSimd, TVector>.WorkerFloats(plan);
        float* outputs = inputs + plan.InputPlanes * (nint)plan.InputPlane, target = sums + task * (nint)plan.GroupFloats;
        int begin = task * plan.TilesPerGroup, end = Math.Min(plan.Map.Tiles, begin + plan.TilesPerGroup);
        for (int first = begin; first < end; first += plan.BatchTiles)
        {
            int tiles = Math.Min(plan.BatchTiles, end - first);
            var transform = new WinogradGradientTransformJob<TSimd, TVector>(plan, first, tiles, x, dy, inputs, outputs, workers);
            for (int part = 0; part < transform.Tasks; part++)
                transform.Execute(part, worker);
            foreach (var product in plan.Map.Scheme.Products)
                for (int block = 0; block < plan.OutputBlocks; block++)
                    WinogradGradientProducts<TSimd, TVector>.Add(
                        plan, product, block, tiles, first > begin, inputs, outputs, target);
        }
    }
}

/// <summary>Adds the sums of all groups, in order, to those of the first. One task is a plane.</summary>
internal readonly unsafe struct WinogradGradientGroupSumJob<TSimd, TVector>(WinogradWeightGradientPlan plan, float* sums) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public void Execute(int task, int worker)
    {
        float* total = sums + task * (nint)plan.SumPlane;
        int count = plan.InputPitch * plan.OutputPitch; // whole vectors
        for (int i = 0; i < count; i += TSimd.Width)
        {
            var sum = TSimd.Load(total + i);
            for (int group = 1; group < plan.Groups; group++)
                sum = TSimd.Add(sum, TSimd.Load(total + group * (nint)plan.GroupFloats + i));
            TSimd.Store(sum, total + i);
        }
    }
}
