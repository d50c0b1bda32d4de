using System.Runtime.Intrinsics;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/* Winograd F(4x4, 3x3), for 3x3 convolutions with stride 1: 36 products of small matrices in place of 144 multiplications a tile and pair of channels.
   With stride 2 the pixels between are convolutions of their own, F(4x4, 2x2) and less: 81 in place of 144 (WinogradScheme.cs).
     forward          y tile  = A^T [sum over c of (G g G^T) * (B^T d B)] A       weights once a call, tiles by blocks that stay in the cache
     input gradient   the same with the weights turned by half a turn and the other padding
     weight gradient  dw      = G^T [sum over tiles of (B^T d B) * (A dy A^T)] G
   Everything is masked at the edges: any height and width, any channels (padded to whole vectors in scratch memory only). */
public sealed partial class CpuBackend
{
    /// <summary>How convolutions are computed; the default chooses by shape. The bits of a result depend on it, not on the threads.</summary>
    public ConvolutionMethod Convolution { get; init; } = ConvolutionMethod.Auto;

    /// <summary>Whether the forward pass and the input gradient of these sizes are computed by Winograd's method.</summary>
    internal bool UsesWinograd(Conv2dSizes sizes) => WinogradMap.IsChosen(sizes, Convolution);

    /// <summary>Whether the weight gradient is.</summary>
    internal bool UsesWinogradForWeights(Conv2dSizes sizes) => WinogradMap.IsChosenForWeights(sizes, Convolution);

    private unsafe void WinogradGather(WinogradPlan plan, float* source, float* weight, float* target, bool inputGradient)
    {
        switch (SimdWidth)
        {
            case SimdWidth.Bits512:
                WinogradGather<Simd512, Vector512<float>>(plan, source, weight, target, inputGradient);
                break;
            case SimdWidth.Bits256:
                WinogradGather<Simd256, Vector256<float>>(plan, source, weight, target, inputGradient);
                break;
            default:
                WinogradGather<Simd128, Vector128<float>>(plan, source, weight, target, inputGradient);
                break;
        }
    }

    private unsafe void WinogradGather<TSimd, TVector>(WinogradPlan plan, float* source, float* weight, float* target, bool inputGradient)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        var weights = new WinogradWeights<TSimd, TVector>(plan, weight, inputGradient);
        if (plan.HasFewTiles)
        {
            WinogradOfFewTiles(plan, source, weight, weights, target);
            return;
        }
        long floats = plan.WeightFloats;
        var held = _heldWeights?.Find(weight, plan, floats);
        float* transformed = held is null ? SharedScratch.Floats(floats) : held.Floats;
        float** workers = stackalloc float*[Threads];
        var gather = new WinogradGatherJob<TSimd, TVector>(plan, plan.BlockTiles(Threads), source, transformed, target, workers, StreamsTarget(plan.Map, target, TSimd.Width));
        ReserveScratch(workers, Math.Max(gather.WorkerFloats, WinogradWeights<TSimd, TVector>.ScratchFloats));
        if (held is not { IsFilled: true })
        {
            var transform = new WinogradWeightsJob<TSimd, TVector>(plan, weights, transformed, workers);
            _workers.Run(transform.Tasks, transform);
            held?.IsFilled = true;
        }
        _workers.Run(gather.Tasks, gather);
    }

    /// <summary>
    /// Whether the target is written past the caches: where it is too large for them, and its pixels are whole vectors at addresses that allow it.
    /// </summary>
    private unsafe bool StreamsTarget(WinogradMap map, float* target, int lanes) =>
        sizeof(float) * (long)map.Batch * map.TargetHeight * map.TargetWidth * map.TargetChannels >= StreamFrom
        && map.TargetChannels % lanes == 0 && (nint)target % (lanes * sizeof(float)) == 0;

    private unsafe void WinogradOfFewTiles<TSimd, TVector>(
        WinogradPlan plan, float* source, float* weight, WinogradWeights<TSimd, TVector> weights, float* target)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        float* transformed = SharedScratch.Floats(plan.Map.Scheme.SourcePlanes * plan.SourcePlane(plan.AllTiles));
        float** workers = stackalloc float*[Threads];
        var held = _heldWeights?.Find(weight, plan, plan.AllPanels);
        var products = new WinogradStationaryJob<TSimd, TVector>(
            plan, plan.GroupTiles(Threads), weights, held is null ? null : held.Floats, transformed, target, workers);
        ReserveScratch(workers, Math.Max(products.WorkerFloats, WinogradSourceJob<TSimd, TVector>.WorkerFloats(plan)));
        if (held is { IsFilled: false })
        {
            var panels = new WinogradPanelsJob<TSimd, TVector>(plan, weights, held.Floats, workers);
            _workers.Run(panels.Tasks, panels);
            held.IsFilled = true;
        }
        var transform = new WinogradSourceJob<TSimd, TVector>(plan, source, transformed, workers);
        _workers.Run(transform.Tasks, transform);
        _workers.Run(products.Tasks, products);
    }

    private unsafe void WinogradWeightGradient(WinogradWeightGradientPlan plan, float* x, float* dy, float* dweight)
    {
        switch (SimdWidth)
        {
            case SimdWidth.Bits512:
                WinogradWeightGradient<Simd512, Vector512<float>>(plan, x, dy, dweight);
                break;
            case SimdWidth.Bits256:
                WinogradWeightGradient<Simd256, Vector256<float>>(plan, x, dy, dweight);
                break;
            default:
                WinogradWeightGradient<Simd128, Vector128<float>>(plan, x, dy, dweight);
                break;
        }
    }

    private unsafe void WinogradWeightGradient<TSimd, TVector>(WinogradWeightGradientPlan plan, float* x, float* dy, float* dweight)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        if (plan.Groups > 0)
        {
            WinogradWeightGradientByGroups<TSimd, TVector>(plan, x, dy, dweight);
            return;
        }
        float* inputs = SharedScratch.Floats(plan.SharedFloats), outputs = inputs + plan.InputPlanes * (nint)plan.InputPlane;
        float* sums = outputs + plan.OutputPlanes * (nint)plan.OutputPlane;
        var finish = new WinogradGradientFinish<TSimd, TVector>(plan, dweight);
        float** workers = stackalloc float*[Threads];
        var blocks = new WinogradGradientBlockJob<TSimd, TVector>(plan, finish, inputs, outputs, workers);
        ReserveScratch(workers, Math.Max(WinogradGradientTransformJob<TSimd, TVector>.WorkerFloats(plan),
            plan.FinishesByBlocks ? blocks.WorkerFloats : WinogradGradientFinish<TSimd, TVector>.ScratchFloats));
        for (int first = 0; first < plan.Map.Tiles; first += plan.BatchTiles)
        {
            int tiles = Math.Min(plan.BatchTiles, plan.Map.Tiles - first);
            var transform = new WinogradGradientTransformJob<TSimd, TVector>(plan, first, tiles, x, dy, inputs, outputs, workers);
            _workers.Run(transform.Tasks, transform);
            if (plan.FinishesByBlocks)
            {
                _workers.Run(blocks.Tasks, blocks);
                return;
            }
            var products = new WinogradGradientProductsJob<TSimd, TVector>(plan, first == 0, tiles, inputs, outputs, sums);
            _workers.Run(products.Tasks, products);
        }
        var finishing = new WinogradGradientFinishJob<TSimd, TVector>(plan, finish, sums, workers);
        _workers.Run(finishing.Tasks, finishing);
    }

    private unsafe void WinogradWeightGradientByGroups<TSimd, TVector>(WinogradWeightGradientPlan plan, float* x, float* dy, float* dweight)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
    {
        float* sums = SharedScratch.Floats(plan.Groups * plan.GroupFloats);
        float** workers = stackalloc float*[Threads];
        var groups = new WinogradGradientGroupJob<TSimd, TVector>(plan, x, dy, sums, workers);
        ReserveScratch(workers, Math.Max(groups.WorkerFloats, WinogradGradientFinish<TSimd, TVector>.ScratchFloats));
        _workers.Run(plan.Groups, groups);
        _workers.Run(plan.SumPlanes, new WinogradGradientGroupSumJob<TSimd, TVector>(plan, sums));
        var finishing = new WinogradGradientFinishJob<TSimd, TVector>(plan, new(plan, dweight), sums, workers);
        _workers.Run(finishing.Tasks, finishing);
    }
}
