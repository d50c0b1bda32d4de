using System.Runtime.InteropServices;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

/// <summary>The convolutions that <c>kernels/thin.h</c> describes: 3x3, stride 1, padding 1, bf16, at most 4 channels in, a multiple of 64 out.</summary>
public sealed partial class CudaBackend
{
    private const int ThinStages = 4, MostThinImageBytes = 32 << 10;

    // By the length of the common axis: 9 taps of 1, 2 to 3 and 4 channels, rounded up to 16.
    private static readonly KernelName[]
        s_thinForward = [new("conv2dthin", "conv2dthin_forward_16"), new("conv2dthin", "conv2dthin_forward_32"), new("conv2dthin", "conv2dthin_forward_48")],
        s_thinWeightGradient =
        [
            new("conv2dthin_gradient", "conv2dthin_weight_gradient_16"), new("conv2dthin_gradient", "conv2dthin_weight_gradient_32"),
            new("conv2dthin_gradient", "conv2dthin_weight_gradient_48"),
        ];

    private static readonly KernelName s_thinReduce = new("conv2dthin_gradient", "conv2dthin_reduce");

    /// <summary>Whether a convolution goes by tiles of whole rows of its images; <paramref name="wide"/> is the tensor of its outputs.</summary>
    private static bool IsThin(Conv2dSizes s, View x, View wide, int pixels, out ThinTile tile)
    {
        tile = default;
        if (s is not { KernelHeight: 3, KernelWidth: 3, Stride: 1, Padding: 1, Inputs: <= 4 } || s.Outputs % 64 != 0 || s.Width % 8 != 0
            || x.Type != DType.BF16 || !IsAligned(x) || !IsAligned(wide) || s.Batch == 0 || s.Height == 0 || s.Width == 0)
            return false;
        tile = ThinTile.Fit(s, pixels);
        return tile.ImageBytes(s) <= MostThinImageBytes;
    }

    private void ThinForward(in Conv2dForward call, ThinTile tile)
    {
        var s = call.Sizes;
        int k = ThinTile.CommonAxis(s);
        Launch(
            s_thinForward[k / 16 - 1], DType.BF16, new Dim3(tile.Count(s), s.Outputs / 64),
            new ThinForwardPlan(call.X.Address, call.Weight.Address, call.Y.Address, s.Height, s.Width, s.Inputs, s.Outputs, tile.Height),
            threads: 256, sharedBytes: 64 * (k + 8) * 2 + tile.ImageBytes(s));
    }

    private void ThinWeightGradient(in Conv2dWeightGradient call, ThinTile tile)
    {
        var s = call.Sizes;
        int k = ThinTile.CommonAxis(s), tiles = tile.Count(s), columns = s.Outputs / 64;
        // Two blocks share a multiprocessor; each keeps the images of all its tiles.
        int wanted = Math.Max(1, 2 * FullDevice / columns);
        int tilesPerSplit = Math.Clamp((tiles + wanted - 1) / wanted, 1, MostThinImageBytes / tile.ImageBytes(s)), splits = (tiles + tilesPerSplit - 1) / tilesPerSplit;
        nint sums = Scratch((long)splits * call.DWeight.Length * sizeof(float));
        const int Warps = 8, StepBytes = 16 * LineBytes;
        Launch(
            s_thinWeightGradient[k / 16 - 1], DType.BF16, new Dim3(splits, columns),
            new ThinWeightGradientPlan(call.X.Address, call.Dy.Address, sums, s.Height, s.Width, s.Inputs, s.Outputs, tile.Height, tiles, tilesPerSplit),
            threads: 32 * Warps, sharedBytes: Math.Max(Warps * ThinStages * StepBytes + tilesPerSplit * tile.ImageBytes(s), Warps * 64 * k * sizeof(float)));
        Launch(
            s_thinReduce, call.DWeight.Type, new Dim3((call.DWeight.Length + 31) / 32),
            new ThinReducePlan(sums, call.DWeight.Address, splits, call.DWeight.Length), threads: 512);
    }

    /// <summary>Whole rows of one image.</summary>
    /// <param name="Height">How many; divides the image's.</param>
    private readonly record struct ThinTile(int Height)
    {
        /// <summary>Rows of an image in shared memory, those above and below among them, with zeros around.</summary>
        public int ImageBytes(Conv2dSizes s) => (Height + 2) * (s.Width * s.Inputs + 16) * 2;

        public int Count(Conv2dSizes s) => s.Batch * (s.Height / Height);

        public static int CommonAxis(Conv2dSizes s) => (9 * s.Inputs + 15) / 16 * 16;

        /// <summary>The highest tile of at most <paramref name="pixels"/>, or one row.</summary>
        public static ThinTile Fit(Conv2dSizes s, int pixels)
        {
            int height = Math.Clamp(pixels / s.Width, 1, s.Height);
            while (s.Height % height != 0)
                height--;
            return new ThinTile(height);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ThinForwardPlan(nint X, nint Weight, nint Y, int Height, int Width, int Inputs, int Outputs, int TileHeight);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ThinWeightGradientPlan(
        nint X, nint Dy, nint Sums, int Height, int Width, int Inputs, int Outputs, int TileHeight, int Tiles, int TilesPerSplit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ThinReducePlan(nint Sums, nint Target, int Splits, int Length);
}
