using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>
/// How the tiles of a 3x3 convolution with stride 1 lie: 4x4 pixels of the target each, read from 6x6 pixels of the source. The last tiles of a row
/// and of a column may hang over; what lies outside counts as zero when read and is dropped when written.
/// Padding is the rows and columns of zeros around the source.
/// </summary>
internal readonly record struct WinogradMap(
    int Batch, int SourceHeight, int SourceWidth, int SourceChannels, int TargetHeight, int TargetWidth, int TargetChannels, int Padding)
{
    /// <summary>Pixels of the target along a side of a tile.</summary>
    public const int TileSide = 4;

    /// <summary>Planes of the transformed domain: 6x6.</summary>
    public const int Planes = 36;

    // Measured (direct over Winograd, one thread): at 16 channels 1.1 to 2.2, at 3 channels 0.3 to 0.8; with 9 of 16 pixels of a tile used 1.2 to 1.4,
    // with 6 1.0, with 4 0.3. Tiles share the cost of transforming the weights: with 8 of them 1.9 at 256 channels and 1.3 at 512, with 4 1.1 at 512; in the
    // weight gradient, whose 36 planes of sums are larger than a cache at 512 channels, 0.7 with 8 tiles, 0.9 with 16, 1.6 with 32.
    private const int FewestChannels = 16, FewestPixels = 9, FewestTiles = 8, FewestTilesOfWeightGradient = 24;

    /// <summary>Tiles in a row of tiles.</summary>
    public int TileColumns => (TargetWidth + TileSide - 1) / TileSide;

    /// <summary>Tiles of an image.</summary>
    public int TilesPerImage => (TargetHeight + TileSide - 1) / TileSide * TileColumns;

    /// <summary>Tiles of all images.</summary>
    public int Tiles => Batch * TilesPerImage;

    /// <summary>From x to y.</summary>
    public static WinogradMap Forward(Conv2dSizes s) =>
        new(s.Batch, s.Height, s.Width, s.Inputs, s.OutputHeight, s.OutputWidth, s.Outputs, s.Padding);

    /// <summary>From dy to dx: the same convolution with the weights turned by half a turn and the other padding.</summary>
    public static WinogradMap InputGradient(Conv2dSizes s) =>
        new(s.Batch, s.OutputHeight, s.OutputWidth, s.Outputs, s.Height, s.Width, s.Inputs, 2 - s.Padding);

    /// <summary>Whether the method can compute this convolution.</summary>
    private static bool Applies(Conv2dSizes s) => s is { KernelHeight: 3, KernelWidth: 3, Stride: 1, Padding: <= 2 };

    /// <summary>Whether the setting <paramref name="convolution"/> means this method for a forward pass or input gradient of these sizes.</summary>
    public static bool IsChosen(Conv2dSizes sizes, ConvolutionMethod convolution) => IsChosen(sizes, convolution, FewestTiles);

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
    private static bool Pays(Conv2dSizes s, int fewestTiles) => Math.Min(s.Inputs, s.Outputs) >= FewestChannels && Forward(s).Tiles >= fewestTiles
        && s.OutputHeight * s.OutputWidth >= FewestPixels * Forward(s).TilesPerImage;

    /// <summary>The image of a tile and the first row and column of the target that it covers.</summary>
    public (int Image, int Row, int Column) Place(int tile)
    {
        int image = tile / TilesPerImage, inImage = tile % TilesPerImage;
        return (image, inImage / TileColumns * TileSide, inImage % TileColumns * TileSide);
    }

    /// <summary>The 6x6 pixels of the source that a tile reads.</summary>
    public unsafe WinogradWindow SourceWindow(float* source, int tile, float* zeros)
    {
        var (image, row, column) = Place(tile);
        return WinogradWindow.At(
            source + (nint)image * SourceHeight * SourceWidth * SourceChannels, SourceHeight, SourceWidth, SourceChannels,
            row - Padding, column - Padding, WinogradWindow.Largest, zeros);
    }

    /// <summary>The 4x4 pixels of the target that a tile covers, to be read.</summary>
    public unsafe WinogradWindow TargetWindow(float* target, int tile, float* zeros)
    {
        var (image, row, column) = Place(tile);
        return WinogradWindow.At(
            target + (nint)image * TargetHeight * TargetWidth * TargetChannels, TargetHeight, TargetWidth, TargetChannels, row, column, TileSide, zeros);
    }
}
