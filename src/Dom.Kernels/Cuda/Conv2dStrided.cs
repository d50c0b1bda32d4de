using System.Numerics;
using System.Runtime.InteropServices;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

/// <summary>The convolutions that <c>kernels/conv2dstrided_hopper.cu</c> is for: stride 2, at most 3x3, bf16, whole rows of pixels in a tile, source channels a multiple of 64.</summary>
public sealed partial class CudaBackend
{
    private const int StridedStages = 4, StridedPlanes = 3;

    private static readonly KernelName
        s_stridedHigh = new("conv2dstrided_hopper", "conv2dstrided_256x128"), s_stridedLarge = new("conv2dstrided_hopper", "conv2dstrided_128x128"),
        s_stridedNarrow = new("conv2dstrided_hopper", "conv2dstrided_128x64"), s_stridedReduce = new("conv2dstrided_hopper", "conv2dstrided_reduce");

    /// <summary>Launches the convolution where it is one of these; false where it is not. Partial sums lie behind what <paramref name="scratch"/> has dealt out.</summary>
    private bool TryStrided(GatherPlan plan, DType type, ScratchLayout scratch)
    {
        if (StridedLaunch(plan, type) is not { } launch)
            return false;
        long target = (long)plan.Batch * plan.TargetHeight * plan.TargetWidth * plan.TargetChannels;
        nint sums = launch.Splits > 1 ? scratch.Take(launch.SumBytes(plan)) : 0;
        Launch(
            launch.Kernel, type, new Dim3(checked(launch.Tiles * launch.ColumnTiles), launch.Splits, launch.Classes),
            new StridedPlan(
                plan.Source, plan.Weight, plan.Target, sums, plan.Batch, plan.SourceHeight, plan.SourceWidth, plan.SourceChannels,
                plan.TargetHeight, plan.TargetWidth, plan.TargetChannels, plan.KernelHeight, plan.Padding, plan.IsGradient,
                launch.Height, BitOperations.Log2((uint)launch.Width), BitOperations.Log2((uint)launch.Tile.Height), launch.ColumnTiles, launch.SlabsPerSplit),
            launch.Rows * 2, launch.SharedBytes);
        if (launch.Splits > 1)
            Launch(s_stridedReduce, type, BlocksFor(target / 8), new StridedReducePlan(sums, plan.Target, launch.Splits, checked((int)(target / 8))));
        return true;
    }

    /// <summary>Scratch for partial sums; 0 where there are none.</summary>
    private long StridedSumBytes(GatherPlan plan, DType type) => StridedLaunch(plan, type) is { Splits: > 1 } launch ? launch.SumBytes(plan) : 0;

    /// <summary>How such a convolution is launched; null where it is none of them. A function of the sizes alone.</summary>
    private StridedSizes? StridedLaunch(GatherPlan plan, DType type)
    {
        bool gradient = plan.IsGradient == 1;
        int stride = plan.Stride, kernel = plan.KernelHeight;
        if (!IsOnTrial || _driver.ComputeCapability != 90 || type != DType.BF16 || stride != 2 || kernel > 3 || plan.KernelWidth != kernel || plan.Batch == 0
            || plan.SourceChannels % Slab != 0 || plan.TargetChannels % 8 != 0 || (plan.Source | plan.Weight | plan.Target) % 16 != 0
            || (gradient && (plan.TargetHeight % stride != 0 || plan.TargetWidth % stride != 0)))
            return null;
        int classes = gradient ? stride * stride : 1, height = gradient ? plan.TargetHeight / stride : plan.TargetHeight, width = gradient ? plan.TargetWidth / stride : plan.TargetWidth;
        int border = (kernel - 1) / 2, slabs = plan.SourceChannels / Slab;

        // A forward pass has as many steps in every block: the highest tiles that fill the device, and splits where there are few. The classes of a gradient
        // have few steps, and the blocks of one class overlap those of the others.
        if (!gradient && kernel > 1 && plan.TargetChannels > 64 && Fit(s_stridedHigh, 256, 128) is { } high && high.Tiles * high.ColumnTiles >= FullDevice)
            return high;
        bool wide = plan.TargetChannels > 64;
        if (wide && gradient)
            wide = Fit(s_stridedLarge, 128, 128) is { } large && large.Tiles * large.ColumnTiles * classes >= 2 * FullDevice;
        if ((wide ? Fit(s_stridedLarge, 128, 128) : Fit(s_stridedNarrow, 128, 64)) is not { } sizes)
            return null;
        int splits = gradient ? 1 : Math.Clamp(FullDevice / (sizes.Tiles * sizes.ColumnTiles), 1, kernel > 1 ? slabs : 1);
        int slabsPerSplit = (slabs + splits - 1) / splits;
        return sizes with { SlabsPerSplit = slabsPerSplit, Splits = (slabs + slabsPerSplit - 1) / slabsPerSplit };

        StridedSizes? Fit(KernelName name, int rows, int columns)
        {
            if (width < 1 || rows % width != 0)
                return null;
            int tileHeight = Math.Min(rows / width, height), images = rows / (width * tileHeight), lines = (tileHeight + border) * (width + border) * images;
            if (height % tileHeight != 0 || images * tileHeight * width != rows || lines > rows * 25 / 16)
                return null;
            // All three factors of a power of two are such powers. The result goes out through the same memory.
            int shared = Math.Max((StridedStages * columns + StridedPlanes * lines) * LineBytes, rows * (columns + 8) * 2);
            return new StridedSizes(
                name, rows, height, width, new PatchTile(tileHeight, images), (plan.Batch + images - 1) / images * (height / tileHeight),
                (plan.TargetChannels + columns - 1) / columns, classes, slabs, 1, shared);
        }
    }

    private readonly record struct StridedSizes(
        KernelName Kernel, int Rows, int Height, int Width, PatchTile Tile, int Tiles, int ColumnTiles, int Classes, int SlabsPerSplit, int Splits, int SharedBytes)
    {
        public long SumBytes(GatherPlan plan) => (long)Splits * plan.Batch * plan.TargetHeight * plan.TargetWidth * plan.TargetChannels * sizeof(float);
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct StridedPlan(
        nint Source, nint Weight, nint Target, nint Sums, int Batch, int SourceHeight, int SourceWidth, int Channels,
        int TargetHeight, int TargetWidth, int TargetChannels, int Kernel, int Padding, int IsGradient,
        int Height, int WidthBits, int TileHeightBits, int ColumnTiles, int SlabsPerSplit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct StridedReducePlan(nint Sums, nint Target, int Splits, int Packs);
}
