using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>
/// How the tiles of a 3x3 convolution lie: squares of the target, each read from a larger square of the source as its <see cref="WinogradScheme"/> says. The last tiles of a row
/// and of a column may hang over; what lies outside counts as zero when read and is dropped when written.
/// Padding is the rows and columns of zeros around the source.
/// </summary>
internal readonly record struct WinogradMap(
    WinogradScheme Scheme, int Batch, int SourceHeight, int SourceWidth, int SourceChannels, int TargetHeight, int TargetWidth, int TargetChannels, int Padding)
{
    // Measured (direct over Winograd, one thread): at 16 channels 1.1 to 2.2, at 3 channels 0.3 to 0.8; with 9 of 16 pixels of a tile used 1.2 to 1.4,
    // with 6 1.0, with 4 0.3. Tiles share the cost of transforming the weights: with 8 of them 1.9 at 256 channels and 1.3 at 512, with 4 1.1 at 512; in the
    // weight gradient, whose 36 planes of sums are larger than a cache at 512 channels, 0.7 with 8 tiles, 0.9 with 16, 1.6 with 32.
    private const int FewestChannels = 16, FewestPixels = 9, FewestTiles = 8, FewestTilesOfWeightGradient = 24;

    // With stride 2 (two threads): 1.1 to 1.4 where there are 1.5 tiles or more for each channel of the larger side, 0.8 to 1.0 below that; 0.7 to 0.8 at 16 and 32 channels. Weight
    // gradients 1.1 to 1.6, down to 16 tiles; 1.1 at 32 channels, 0.8 at 16.
    private const int FewestStridedChannels = 64;

    /// <summary>Tiles in a row of tiles.</summary>
    public int TileColumns => (TargetWidth + Scheme.TargetSide - 1) / Scheme.TargetSide;

    /// <summary>Tiles of an image.</summary>
    public int TilesPerImage => (TargetHeight + Scheme.TargetSide - 1) / Scheme.TargetSide * TileColumns;

    /// <summary>Tiles of all images.</summary>
    public int Tiles => Batch * TilesPerImage;

    /// <summary>From x to y.</summary>
    public static WinogradMap Forward(Conv2dSizes s) => new(
        s.Stride == 1 ? WinogradScheme.Whole : WinogradScheme.Gather,
        s.Batch, s.Height, s.Width, s.Inputs, s.OutputHeight, s.OutputWidth, s.Outputs, s.Padding);

    /// <summary>From dy to dx: with stride 1 the same convolution with the other padding, with stride 2 its transpose; the weights are turned by half a turn.</summary>
    public static WinogradMap InputGradient(Conv2dSizes s) => new(
        s.Stride == 1 ? WinogradScheme.Whole : WinogradScheme.Scatter,
        s.Batch, s.OutputHeight, s.OutputWidth, s.Outputs, s.Height, s.Width, s.Inputs, s.Stride == 1 ? 2 - s.Padding : 0);

    /// <summary>Whether the method can compute this convolution.</summary>
    private static bool Applies(Conv2dSizes s) => s is { KernelHeight: 3, KernelWidth: 3 } and ({ Stride: 1, Padding: <= 2 } or { Stride: 2, Padding: 1 });

    /// <summary>Whether the setting <paramref name="convolution"/> means this method for a forward pass or input gradient of these sizes.</summary>
    public static bool IsChosen(Conv2dSizes sizes, ConvolutionMethod convolution) => IsChosen(
        sizes, convolution,
        sizes.Stride == 1 ? FewestTiles : 3 * Math.Max(sizes.Inputs, sizes.Outputs) / 2);

    /// <summary>Whether it means this method for a weight gradient of these sizes.</summary>
    public static bool IsChosenForWeights(Conv2dSizes sizes, ConvolutionMethod convolution) =>
        IsChosen(sizes, convolution, FewestTilesOfWeightGradient);

    private static bool IsChosen(Conv2dSizes sizes, ConvolutionMethod convolution, int fewestTiles) => convolution switch
    {
        ConvolutionMethod.Direct => false,
        ConvolutionMethod.Winograd => Applies(sizes),
        _ => Applies(sizes) && Pays(sizes, fewestTiles),
    };

    /// <summary>Where it was measured to be faster than the direct way: enough channels, and tiles that are not mostly overhang.</summary>
    private static bool Pays(Conv2dSizes s, int fewestTiles) => Math.Min(s.Inputs, s.Outputs) >= (s.Stride == 1 ? FewestChannels : FewestStridedChannels)
        && Forward(s).Tiles >= fewestTiles && s.OutputHeight * s.OutputWidth >= FewestPixels * Forward(s).TilesPerImage;

    /// <summary>The image of a tile and the first row and column of the target that it covers.</summary>
    public (int Image, int Row, int Column) Place(int tile)
    {
        int image = tile / TilesPerImage, inImage = tile % TilesPerImage;
        return (image, inImage / TileColumns * Scheme.TargetSide, inImage % TileColumns * Scheme.TargetSide);
    }

    /// <summary>The pixels of the source that a tile reads.</summary>
    public unsafe WinogradWindow SourceWindow(float* source, int tile, float* zeros)
    {
        int image = tile / TilesPerImage, inImage = tile % TilesPerImage;
        return WinogradWindow.At(
            source + (nint)image * SourceHeight * SourceWidth * SourceChannels, SourceHeight, SourceWidth, SourceChannels,
            inImage / TileColumns * Scheme.SourceStep - Padding, inImage % TileColumns * Scheme.SourceStep - Padding, Scheme.SourceSide, zeros);
    }

    /// <summary>The pixels of the target that a tile covers, to be read.</summary>
    public unsafe WinogradWindow TargetWindow(float* target, int tile, float* zeros)
    {
        var (image, row, column) = Place(tile);
        return WinogradWindow.At(
            target + (nint)image * TargetHeight * TargetWidth * TargetChannels, TargetHeight, TargetWidth, TargetChannels, row, column, Scheme.TargetSide, zeros);
    }
}
