using System.Runtime.InteropServices;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<Conv2dForward>, IKernel<Conv2dInputGradient>, IKernel<Conv2dWeightGradient>
{
    /// <summary>
    /// Blocks that keep a large GPU busy. A constant and not the device's number of multiprocessors, since the number of partial sums follows from it, and the bits from that.
    /// Tests make it small, and DOM_CUDA_TILES=large in the environment does, so that the small problems of the conformance suite get the tiles of large ones.
    /// </summary>
    internal int FullDevice { get; set; } = Environment.GetEnvironmentVariable("DOM_CUDA_TILES") == "large" ? 1 : 128;

    private static readonly KernelName
        s_gatherLarge = new("conv2d", "conv2d_gather_128x128"), s_gatherNarrow = new("conv2d", "conv2d_gather_128x64"),
        s_gatherSmall = new("conv2d", "conv2d_gather_64x64"),
        s_weightGradientHopper = new("conv2d_hopper", "conv2d_weight_gradient_hopper"),
        s_weightGradientLarge = new("conv2d", "conv2d_weight_gradient_128x128"), s_weightGradientFlat = new("conv2d", "conv2d_weight_gradient_64x128");

    void IKernel<Conv2dForward>.Run(in Conv2dForward call)
    {
        var s = call.Sizes;
        if (HasPatches(s, call.X, call.Weight, call.Y, s.Inputs, s.Outputs, out var tile))
        {
            GatherPatches(s, tile, call.X.Address, call.Weight.Address, call.Y, s.Inputs, s.Outputs, isGradient: false);
            return;
        }
        if (IsThin(s, call.X, call.Y, pixels: 512, out var thin))
        {
            ThinForward(call, thin);
            return;
        }
        var sizing = new ScratchLayout(0, isPlaced: false);
        var plan = Prepare(call, ref sizing);
        var scratch = new ScratchLayout(Scratch(sizing.Bytes + StridedSumBytes(plan, call.X.Type)), isPlaced: true);
        plan = Prepare(call, ref scratch);
        if (!TryStrided(plan, call.X.Type, scratch))
            Gather(call.X.Type, plan);

        GatherPlan Prepare(in Conv2dForward call, ref ScratchLayout scratch) => new(
            Padded(call.X, s.Batch * s.Height * s.Width, s.Inputs, ref scratch), Padded(call.Weight, s.Outputs * s.KernelHeight * s.KernelWidth, s.Inputs, ref scratch),
            call.Y.Address, s.Batch, s.Height, s.Width, TileShape.Padded(s.Inputs, call.X.Type), s.OutputHeight, s.OutputWidth, s.Outputs,
            s.KernelHeight, s.KernelWidth, s.Stride, s.Padding, IsGradient: 0, ColumnTiles: 0);
    }

    void IKernel<Conv2dInputGradient>.Run(in Conv2dInputGradient call)
    {
        var s = call.Sizes;
        var type = call.Dy.Type;
        int taps = s.KernelHeight * s.KernelWidth, outputs = TileShape.Padded(s.Outputs, type);
        var sizing = new ScratchLayout(0, isPlaced: false);
        Prepare(call, ref sizing);
        var scratch = new ScratchLayout(Scratch(sizing.Bytes), isPlaced: true);
        var (dy, weight) = Prepare(call, ref scratch);
        Transpose(call.Weight.Address, weight, type, s.Outputs, taps, s.Inputs, outputs);
        if (HasPatches(s, call.Dy, call.Weight, call.Dx, s.Outputs, s.Inputs, out var tile))
        {
            GatherPatches(s, tile, call.Dy.Address, weight, call.Dx, s.Outputs, s.Inputs, isGradient: true);
            return;
        }
        var plan = new GatherPlan(
            dy, weight, call.Dx.Address, s.Batch, s.OutputHeight, s.OutputWidth, outputs, s.Height, s.Width, s.Inputs,
            s.KernelHeight, s.KernelWidth, s.Stride, s.Padding, IsGradient: 1, ColumnTiles: 0);
        if (!TryStrided(plan, type, scratch))
            Gather(type, plan);

        (nint Dy, nint Weight) Prepare(in Conv2dInputGradient call, ref ScratchLayout scratch) => (
            Padded(call.Dy, s.Batch * s.OutputHeight * s.OutputWidth, s.Outputs, ref scratch),
            scratch.Take((long)s.Inputs * taps * outputs * type.Size()));
    }

    void IKernel<Conv2dWeightGradient>.Run(in Conv2dWeightGradient call)
    {
        if (HasWeightPatches(call, out var tile))
        {
            WeightGradientByPatches(call, tile);
            return;
        }
        if (IsThin(call.Sizes, call.X, call.Dy, pixels: 256, out var thin))
        {
            ThinWeightGradient(call, thin);
            return;
        }
        var s = call.Sizes;
        var type = call.X.Type;
        int inputs = TileShape.Padded(s.Inputs, type), outputs = TileShape.Padded(s.Outputs, type), taps = s.KernelHeight * s.KernelWidth;
        // Warpgroups multiply on Hopper only, not on what came after it; each piece of 64 columns has one tap there.
        bool hopper = IsOnTrial && _driver.ComputeCapability == 90 && type == DType.BF16 && inputs % 64 == 0 && taps * inputs % TileShape.Hopper.Columns == 0 && outputs > 64;
        var shape = hopper ? TileShape.Hopper : outputs > 64 ? TileShape.Large : TileShape.Flat;
        int pixels = s.Batch * s.OutputHeight * s.OutputWidth, step = TileShape.Step(type);
        long blocks = shape.Blocks(outputs, (long)taps * inputs);
        // As many chunks of pixels as fill the device once, one block on a multiprocessor of a Hopper and else two, each of at least 4 steps: every chunk costs the
        // bytes of its sums, written and read.
        long wanted = Math.Clamp((hopper ? FullDevice : 2 * FullDevice) / blocks, 1, Math.Max(1, pixels / (4 * step)));
        int pixelsPerSplit = (int)((pixels + wanted - 1) / wanted + step - 1) / step * step, splits = (pixels + pixelsPerSplit - 1) / pixelsPerSplit;

        var sizing = new ScratchLayout(0, isPlaced: false);
        Prepare(call, ref sizing);
        var scratch = new ScratchLayout(Scratch(sizing.Bytes), isPlaced: true);
        var (x, dy, sums) = Prepare(call, ref scratch);
        Launch(
            hopper ? s_weightGradientHopper : shape == TileShape.Large ? s_weightGradientLarge : s_weightGradientFlat, type,
            new Dim3((taps * inputs + shape.Columns - 1) / shape.Columns, (outputs + shape.Rows - 1) / shape.Rows, splits),
            new WeightGradientPlan(
                x, dy, sums, s.Batch, s.Height, s.Width, inputs, outputs, s.OutputHeight, s.OutputWidth, s.KernelWidth, taps, s.Stride, s.Padding, pixelsPerSplit),
            hopper ? 256 : TileShape.Threads(type), shape.SharedBytes);
        Reduce(sums, call.DWeight, splits, outputs, taps, inputs, s.Outputs, s.Inputs);

        (nint X, nint Dy, nint Sums) Prepare(in Conv2dWeightGradient call, ref ScratchLayout scratch) => (
            Padded(call.X, s.Batch * s.Height * s.Width, s.Inputs, ref scratch), Padded(call.Dy, pixels, s.Outputs, ref scratch),
            scratch.Take((long)splits * outputs * taps * inputs * sizeof(float)));
    }

    /// <summary>Launches a gather with the largest tiles that still fill the device.</summary>
    private void Gather(DType type, GatherPlan plan)
    {
        int classes = plan.IsGradient == 1 ? plan.Stride * plan.Stride : 1, side = plan.IsGradient == 1 ? plan.Stride : 1;
        // Pixels of the largest class: those of an uneven rest find no work.
        long pixels = (long)plan.Batch * ((plan.TargetHeight + side - 1) / side) * ((plan.TargetWidth + side - 1) / side);
        var shape = plan.TargetChannels > 64 && classes * TileShape.Large.Blocks(pixels, plan.TargetChannels) >= FullDevice ? TileShape.Large
            : classes * TileShape.Narrow.Blocks(pixels, plan.TargetChannels) >= FullDevice ? TileShape.Narrow : TileShape.Small;
        var kernel = shape == TileShape.Large ? s_gatherLarge : shape == TileShape.Narrow ? s_gatherNarrow : s_gatherSmall;
        Launch(
            kernel, type, new Dim3(checked((int)shape.Blocks(pixels, plan.TargetChannels)), 1, classes),
            plan with { ColumnTiles = (plan.TargetChannels + shape.Columns - 1) / shape.Columns }, TileShape.Threads(type), shape.SharedBytes);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GatherPlan(
        nint Source, nint Weight, nint Target, int Batch, int SourceHeight, int SourceWidth, int SourceChannels,
        int TargetHeight, int TargetWidth, int TargetChannels, int KernelHeight, int KernelWidth, int Stride, int Padding, int IsGradient, int ColumnTiles);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct WeightGradientPlan(
        nint X, nint Dy, nint Sums, int Batch, int Height, int Width, int Inputs, int Outputs, int OutputHeight, int OutputWidth,
        int KernelWidth, int Taps, int Stride, int Padding, int PixelsPerSplit);
}
