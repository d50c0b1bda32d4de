using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Adds the products of a batch of tiles to the sums of a <see cref="WinogradWeightGradientPlan"/>. One task is a plane and a block of
/// outputs: it alone writes their sums.
/// </summary>
internal readonly unsafe struct WinogradGradientProductsJob<TSimd, TVector>(
    WinogradWeightGradientPlan plan, bool isFirst, int tiles, float* inputs, float* outputs, float* sums) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    public int Tasks => WinogradMap.Planes * plan.OutputBlocks;

    public void Execute(int task, int worker)
    {
        int plane = task / plan.OutputBlocks, block = task % plan.OutputBlocks;
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.Map.TargetChannels);
        var kernel = OuterProduct<TSimd, TVector>.ForColumns(width / TSimd.Width);
        nint vectorPitch = (nint)plan.BatchTiles * TSimd.Width;
        float* rows = inputs + plane * (nint)plan.InputPlane, columns = outputs + plane * (nint)plan.OutputPlane + channel / TSimd.Width * vectorPitch;
        float* target = sums + plane * (nint)plan.SumPlane + (nint)channel * plan.InputPitch;
        for (int first = 0; first < tiles; first += WinogradWeightGradientPlan.RunTiles)
        {
            int count = Math.Min(WinogradWeightGradientPlan.RunTiles, tiles - first);
            nint offset = (nint)first * TSimd.Width;
            bool adds = first > 0 || !isFirst;
            for (int c = 0; c < plan.InputPitch; c += OuterProduct<TSimd, TVector>.Rows)
                kernel(
                    rows + c / TSimd.Width * vectorPitch + c % TSimd.Width + offset, columns + offset, vectorPitch, count,
                    target + (nint)c * width, adds);
        }
    }
}
