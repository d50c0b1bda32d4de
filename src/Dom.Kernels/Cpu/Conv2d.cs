using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/* Convolution, directly on NHWC: no im2col, no layout but that of the tensors. All three passes end in one micro-kernel (Simd/TileKernel.cs) that
   multiplies 4 gathered rows with a packed panel; what differs is what the rows are:
     forward          4 output pixels, summed over taps and input channels, panel = weights
     input gradient   4 input pixels, summed over the taps that reach them and output channels, panel = transposed weights
     weight gradient  4 input channels at a tap, summed over pixels, panel = output gradients
   (a weight gradient with a 1x1 kernel or very few input channels needs nothing packed: Conv2dPixelGradientPlan.cs;
   with very few input channels the input gradient takes all products at once and collects them after: Conv2dFewChannelsJob.cs).
   Large 3x3 convolutions with strides of 1 and 2 go another way, see Winograd.cs.
   Tasks are cut by sizes alone and write disjoint results, and every sum has one fixed order: the same bits on any number of threads. */
public sealed partial class CpuBackend :
    IKernel<Conv2dForward>, IKernel<Conv2dInputGradient>, IKernel<Conv2dWeightGradient>
{
    private const int ZeroFloats = 512;

    private readonly Conv2dPlans _conv2dPlans = new();
    private readonly float[] _zeros = GC.AllocateArray<float>(ZeroFloats, pinned: true);

    /// <summary>The widest vectors that kernels may use. Tests set it to cover processors narrower than the one at hand.</summary>
    internal SimdWidth SimdWidth { get; init; } = SimdSupport.Widest;

    private unsafe float* Zeros => (float*)Unsafe.AsPointer(ref _zeros[0]);

    unsafe void IKernel<Conv2dForward>.Run(in Conv2dForward call)
    {
        float* x = Floats(call.X, "conv2d"), weight = Floats(call.Weight, "conv2d"), y = Floats(call.Y, "conv2d");
        if (call.X.Length == 0)
            new Span<float>(y, call.Y.Length).Clear();
        else if (call.Y.Length > 0 && UsesWinograd(call.Sizes))
            WinogradGather(_conv2dPlans.WinogradForward(call.Sizes, SimdWidth), x, weight, y, inputGradient: false);
        else if (call.Y.Length > 0)
            Gather(_conv2dPlans.Forward(call.Sizes, SimdWidth), x, weight, y, inputGradient: false);
    }

    unsafe void IKernel<Conv2dInputGradient>.Run(in Conv2dInputGradient call)
    {
        const string Name = "conv2d input gradient";
        float* dy = Floats(call.Dy, Name), weight = Floats(call.Weight, Name), dx = Floats(call.Dx, Name);
        if (call.Dy.Length == 0)
            new Span<float>(dx, call.Dx.Length).Clear();
        else if (call.Dx.Length > 0 && UsesWinograd(call.Sizes))
            WinogradGather(_conv2dPlans.WinogradInputGradient(call.Sizes, SimdWidth), dy, weight, dx, inputGradient: true);
        else if (call.Dx.Length > 0 && Conv2dFewChannelsJob.Suits(call.Sizes))
            InputGradientOfFewChannels(call.Sizes, dy, weight, dx);
        else if (call.Dx.Length > 0)
            Gather(_conv2dPlans.InputGradient(call.Sizes, SimdWidth), dy, weight, dx, inputGradient: true);
    }

    unsafe void IKernel<Conv2dWeightGradient>.Run(in Conv2dWeightGradient call)
    {
        const string Name = "conv2d weight gradient";
        float* x = Floats(call.X, Name), dy = Floats(call.Dy, Name), dweight = Floats(call.DWeight, Name);
        if (call.X.Length == 0 || call.Dy.Length == 0)
        {
            new Span<float>(dweight, call.DWeight.Length).Clear();
            return;
        }
        if (UsesWinogradForWeights(call.Sizes))
        {
            WinogradWeightGradient(_conv2dPlans.WinogradWeightGradient(call.Sizes, SimdWidth), x, dy, dweight);
            return;
        }
        if (Conv2dPixelGradientPlan.Suits(call.Sizes))
        {
            PixelWeightGradient(_conv2dPlans.PixelGradient(call.Sizes, SimdWidth), x, dy, dweight);
            return;
        }
        var plan = _conv2dPlans.WeightGradient(call.Sizes, SimdWidth);
        float* sums = SharedScratch.Floats(plan.Groups * plan.GroupFloats);
        float** slabs = stackalloc float*[Threads];
        ReserveScratch(slabs, plan.WorkerFloats);
        _workers.Run(plan.Tasks, new Conv2dWeightGradientJob(plan, x, dy, sums, slabs, Zeros));
        var reduction = new Conv2dWeightReduction(plan, sums, dweight);
        _workers.Run(reduction.Tasks, reduction);
    }

    private unsafe void PixelWeightGradient(Conv2dPixelGradientPlan plan, float* x, float* dy, float* dweight)
    {
        float* sums = SharedScratch.Floats(plan.Groups * plan.GroupFloats);
        float** packed = stackalloc float*[Threads];
        ReserveScratch(packed, plan.FrameFloats + plan.PanelFloats);
        if (Conv2dPixelGradientPlan.IsPointwise(plan.Sizes))
            _workers.Run(plan.Tasks, new Conv2dPointwiseGradientJob(plan, x, dy, sums, packed));
        else
            _workers.Run(plan.Tasks, new Conv2dStemGradientJob(plan, x, dy, sums, packed));
        var reduction = new Conv2dPixelGradientReduction(plan, sums, dweight);
        _workers.Run(reduction.Tasks, reduction);
    }

    private unsafe void Gather(Conv2dGatherPlan plan, float* source, float* weight, float* target, bool inputGradient)
    {
        var held = _heldWeights?.Find(weight, plan, plan.PackedFloats);
        float* packed = held is null ? SharedScratch.Floats(plan.PackedFloats) : held.Floats;
        if (held is not { IsFilled: true })
        {
            var packing = new Conv2dWeightPacking(plan, weight, packed, inputGradient);
            _workers.Run(packing.Tasks, packing);
            held?.IsFilled = true;
        }
        bool streams = (long)plan.Sizes.Batch * plan.TargetImage * sizeof(float) >= StreamFrom;
        _workers.Run(plan.Tasks, new Conv2dGatherJob(plan, source, packed, target, Zeros, streams));
    }

    private unsafe void InputGradientOfFewChannels(Conv2dSizes sizes, float* dy, float* weight, float* dx)
    {
        var products = _conv2dPlans.InputGradient(Conv2dFewChannelsJob.Products(sizes), SimdWidth);
        float* packed = SharedScratch.Floats(products.PackedFloats);
        var packing = new Conv2dWeightPacking(products, weight, packed, inputGradient: true);
        _workers.Run(packing.Tasks, packing);
        float** images = stackalloc float*[Threads];
        ReserveScratch(images, Conv2dFewChannelsJob.WorkerFloats(sizes, products));
        _workers.Run(sizes.Batch, new Conv2dFewChannelsJob(sizes, products, dy, packed, dx, images, Zeros));
    }

    private unsafe void ReserveScratch(float** workers, long floats)
    {
        for (int worker = 0; worker < Threads; worker++)
            workers[worker] = ScratchOf(worker).Floats(floats);
    }
}
