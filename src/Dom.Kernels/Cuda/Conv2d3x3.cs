using System.Runtime.InteropServices;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

/// <summary>The convolutions that <c>kernels/conv2d3x3.cu</c> is for: 3x3, stride 1, padding 1, bf16, whole rows of pixels in a tile, channels a multiple of 64.</summary>
public sealed partial class CudaBackend
{
    private const int Slab = 64, LineBytes = 128, MostLines = 288, PatchStages = 3;

    private const int LineDescription = 8; // bytes of a line of a patch in the variables of fixed size

    private static readonly KernelName
        s_patchGather = new("conv2d3x3", "conv2d3x3_gather_128"), s_patchGatherNarrow = new("conv2d3x3", "conv2d3x3_gather_64"),
        s_patchWeightGradient = new("conv2d3x3", "conv2d3x3_weight_gradient");

    /// <summary>Tiles of pixels x channels that warpgroups multiply, the largest first: the first that gives the device enough blocks is taken.</summary>
    private static readonly (int Pixels, int Columns, KernelName Kernel)[] s_hopperTiles =
    [
        (256, 128, new("conv2d3x3_hopper", "conv2d3x3_gather_hopper_256x128")), (256, 64, new("conv2d3x3_hopper", "conv2d3x3_gather_hopper_256x64")),
        (128, 128, new("conv2d3x3_hopper", "conv2d3x3_gather_hopper_128x128")), (128, 64, new("conv2d3x3_hopper", "conv2d3x3_gather_hopper_128x64")),
    ];

    /// <summary>Whether forward and input gradient can go by patches of 128 pixels: <paramref name="source"/> channels are gathered, <paramref name="target"/> written.</summary>
    private static bool HasPatches(Conv2dSizes s, View source, View weight, View target, int sourceChannels, int targetChannels, out PatchTile tile) =>
        PatchTile.TryFit(s, 128, out tile) && source.Type == DType.BF16 && sourceChannels % Slab == 0 && targetChannels % 8 == 0
        && IsAligned(source) && IsAligned(weight) && IsAligned(target);

    /// <summary>Whether the weight gradient can go by patches of 64 pixels.</summary>
    private static bool HasWeightPatches(in Conv2dWeightGradient call, out PatchTile tile) =>
        PatchTile.TryFit(call.Sizes, 64, out tile) && call.X.Type == DType.BF16 && call.Sizes.Inputs % Slab == 0 && call.Sizes.Outputs % Slab == 0
        && IsAligned(call.X) && IsAligned(call.Dy);

    private static bool IsAligned(View view) => view.Address % 16 == 0;

    private void GatherPatches(Conv2dSizes s, PatchTile tile, nint source, nint weight, View target, int channels, int targetChannels, bool isGradient)
    {
        var plan = new PatchPlan(
            source, weight, target.Address, s.Batch, s.Height, s.Width, channels, targetChannels, tile.Height, tile.Images, isGradient ? 1 : 0, ColumnTiles: 0);
        if (_driver.ComputeCapability == 90) // warpgroups multiply on Hopper only, not on what came after it
        {
            GatherPatchesByWarpgroups(s, plan);
            return;
        }
        int tiles = tile.Count(s), patches = 2 * tile.Lines(s) * LineBytes;
        bool narrow = targetChannels <= 64 || (long)tiles * ((targetChannels + 127) / 128) < FullDevice
            || patches + PatchStages * 128 * LineBytes > _driver.MostSharedBytes - MostLines * LineDescription;
        int columns = narrow ? 64 : 128, columnTiles = (targetChannels + columns - 1) / columns;
        Launch(
            narrow ? s_patchGatherNarrow : s_patchGather, DType.BF16, new Dim3(checked(tiles * columnTiles)), plan with { ColumnTiles = columnTiles },
            threads: 128, sharedBytes: patches + PatchStages * columns * LineBytes);
    }

    private void GatherPatchesByWarpgroups(Conv2dSizes s, PatchPlan plan)
    {
        foreach (var (pixels, columns, kernel) in s_hopperTiles)
        {
            bool isSmallest = (pixels, columns) == (128, 64);
            if (!PatchTile.TryFit(s, pixels, out var tile) || (columns > 64 && plan.TargetChannels <= 64))
                continue;
            int columnTiles = (plan.TargetChannels + columns - 1) / columns, blocks = checked(tile.Count(s) * columnTiles);
            // The weights of two rows of taps; the patch of 64 channels and the one that comes after it.
            int sharedBytes = (2 * 3 * columns + Math.Min(plan.Channels / Slab, 2) * tile.Lines(s)) * LineBytes;
            if (!isSmallest && (blocks < FullDevice || sharedBytes > _driver.MostSharedBytes - 2 * MostLines * LineDescription))
                continue;
            Launch(
                kernel, DType.BF16, new Dim3(blocks), plan with { TileHeight = tile.Height, TileImages = tile.Images, ColumnTiles = columnTiles },
                threads: 256, sharedBytes);
            return;
        }
    }

    private void WeightGradientByPatches(in Conv2dWeightGradient call, PatchTile tile)
    {
        var s = call.Sizes;
        int tiles = tile.Count(s), blocks = s.Outputs / Slab * (s.Inputs / Slab);
        // One block fills a multiprocessor. Enough chunks of tiles to fill the device once, each of at least 4 tiles: partial sums cost their bytes twice.
        int wanted = Math.Clamp(FullDevice / blocks, 1, Math.Max(1, tiles / 4));
        int tilesPerSplit = (tiles + wanted - 1) / wanted, splits = (tiles + tilesPerSplit - 1) / tilesPerSplit;
        nint sums = Scratch((long)splits * s.Outputs * 9 * s.Inputs * sizeof(float));
        Launch(
            s_patchWeightGradient, DType.BF16, new Dim3(s.Inputs / Slab, s.Outputs / Slab, splits),
            new PatchWeightGradientPlan(
                call.X.Address, call.Dy.Address, sums, s.Batch, s.Height, s.Width, s.Inputs, s.Outputs, tile.Height, tile.Images, tilesPerSplit),
            threads: 256, sharedBytes: PatchStages * (64 + tile.Lines(s)) * LineBytes);
        Reduce(sums, call.DWeight, splits, s.Outputs, 9, s.Inputs, s.Outputs, s.Inputs);
    }

    /// <summary>A tile of whole rows of one or several images.</summary>
    /// <param name="Height">Rows of an image.</param>
    /// <param name="Images">Images; 1 unless the rows are all that an image has.</param>
    private readonly record struct PatchTile(int Height, int Images)
    {
        public int Lines(Conv2dSizes s) => (Height + 2) * (s.Width + 2) * Images;

        public int Count(Conv2dSizes s) => (s.Batch + Images - 1) / Images * (s.Height / Height);

        public static bool TryFit(Conv2dSizes s, int pixels, out PatchTile tile)
        {
            tile = default;
            if (s is not { KernelHeight: 3, KernelWidth: 3, Stride: 1, Padding: 1 } || s.Width is < 4 or > 64 || pixels % s.Width != 0)
                return false;
            int height = Math.Min(pixels / s.Width, s.Height), images = pixels / (s.Width * height);
            tile = new PatchTile(height, images);
            return s.Height % height == 0 && images * height * s.Width == pixels && tile.Lines(s) <= MostLines * Math.Max(1, pixels / 128);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct PatchPlan(
        nint Source, nint Weight, nint Target, int Batch, int Height, int Width, int Channels, int TargetChannels,
        int TileHeight, int TileImages, int IsGradient, int ColumnTiles);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct PatchWeightGradientPlan(
        nint X, nint Dy, nint Sums, int Batch, int Height, int Width, int Inputs, int Outputs, int TileHeight, int TileImages, int TilesPerSplit);
}
