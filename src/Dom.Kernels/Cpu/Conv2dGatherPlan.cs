using Dom.Kernels.Cpu.Simd;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>
/// How one convolution gathers its results: forward, or the gradient with respect to the input. Both are
/// target[pixel, :] = sum over taps of source[pixel of the tap, :] weights[tap], and differ in which pixel a tap reads.
/// </summary>
/// <remarks>
/// A tile is four target pixels (eight where there are few channels) by a block of target channels. On small maps they are one place in as many images: they then share the taps that meet
/// padding, and these are left out. On large maps they are neighbours in a row. With a stride, the pixels of an input gradient
/// are first sorted by their remainders modulo the stride, since pixels of one class are reached by the same taps.
/// </remarks>
internal sealed class Conv2dGatherPlan
{
    private const int PackedFloatsInCache = 92 * 1024; // 368 KiB of a block's weights stay in the second-level cache
    private const int SourceFloatsInCache = 64 * 1024;
    private const int LongestChunk = 256;
    private const int LargestSharedMap = 100;           // pixels of a map, or of a class of them, whose tiles go across images
    private const int LeastTasks = 32;
    private const long LargestCachedSource = 1L << 20;  // floats of all source images that the caches may still hold; more are fetched ahead

    private Conv2dGatherPlan(Conv2dSizes sizes, bool inputGradient, SimdWidth widest)
    {
        Sizes = sizes;
        Taps = sizes.KernelHeight * sizes.KernelWidth;
        int inputPixels = sizes.Height * sizes.Width, outputPixels = sizes.OutputHeight * sizes.OutputWidth;
        SourceWidth = inputGradient ? sizes.OutputWidth : sizes.Width;
        (SourceChannels, TargetChannels) = inputGradient ? (sizes.Outputs, sizes.Inputs) : (sizes.Inputs, sizes.Outputs);
        (SourceImage, TargetImage) = inputGradient
            ? (outputPixels * sizes.Outputs, inputPixels * sizes.Inputs)
            : (inputPixels * sizes.Inputs, outputPixels * sizes.Outputs);
        Shape = TileShape.For(TargetChannels, widest);
        // An input gradient goes through its classes one by one, and each is reached by a part of the taps.
        int stride = inputGradient ? sizes.Stride : 1;
        int tapsAtOnce = (sizes.KernelHeight + stride - 1) / stride * ((sizes.KernelWidth + stride - 1) / stride);
        int chunk = Math.Clamp(PackedFloatsInCache / (tapsAtOnce * Shape.Width), 16, LongestChunk);
        int chunks = (SourceChannels + chunk - 1) / chunk;
        Chunk = (SourceChannels + chunks - 1) / chunks;

        var taps = inputGradient ? InputGradientTaps(sizes) : ForwardTaps(sizes);
        taps = WithoutUnreached(taps, inputGradient ? inputPixels : outputPixels);
        OneImage = Table(taps, 1);
        if (sizes.Batch >= Shape.Rows && TargetImage / TargetChannels <= LargestSharedMap * stride * stride)
            AcrossImages = Table(taps, Shape.Rows);

        int groupsWanted = Math.Min(sizes.Batch, LeastTasks);
        ImagesPerTask = Math.Clamp(SourceFloatsInCache / Math.Max(1, SourceImage), 1, (sizes.Batch + groupsWanted - 1) / groupsWanted);
        if (AcrossImages is not null)
            ImagesPerTask = (ImagesPerTask + Shape.Rows - 1) / Shape.Rows * Shape.Rows;
        Groups = (sizes.Batch + ImagesPerTask - 1) / ImagesPerTask;
        Spans = AcrossImages is null ? Math.Clamp(LeastTasks / Groups, 1, Math.Max(1, OneImage.Tiles)) : 1;
        BlocksPerTask = Taps == 1 ? Shape.Blocks(TargetChannels) : 1;
        FetchesAhead = Taps > 1 && Shape.Rows == TileShape.FewRows && (long)sizes.Batch * SourceImage > LargestCachedSource;
    }

    public Conv2dSizes Sizes { get; }

    /// <summary>Places of the kernel, R S.</summary>
    public int Taps { get; }

    public int SourceChannels { get; }

    public int TargetChannels { get; }

    /// <summary>Pixels of a row of a source image.</summary>
    public int SourceWidth { get; }

    /// <summary>Floats of a source image.</summary>
    public int SourceImage { get; }

    /// <summary>Floats of a target image.</summary>
    public int TargetImage { get; }

    /// <summary>Tile of target pixels by target channels.</summary>
    public TileShape Shape { get; }

    /// <summary>Source channels whose products are summed in registers before a tile is stored.</summary>
    public int Chunk { get; }

    /// <summary>Tiles of some pixels of one image.</summary>
    public TileTable OneImage { get; }

    /// <summary>Tiles of one pixel of as many images as a tile has rows; null where that does not pay.</summary>
    public TileTable? AcrossImages { get; }

    /// <summary>Target pixels that no tap reaches; no tile has them.</summary>
    public ZeroRuns Unreached { get; } = new();

    /// <summary>Images that a task works on.</summary>
    public int ImagesPerTask { get; }

    /// <summary>Groups of <see cref="ImagesPerTask"/> images.</summary>
    public int Groups { get; }

    /// <summary>Parts that the tiles of an image are cut into.</summary>
    public int Spans { get; }

    /// <summary>
    /// Blocks of target channels that a task works on, one after the other: all with a 1x1 kernel, which does so little with a pixel that
    /// reading it from memory once for every block would count.
    /// </summary>
    public int BlocksPerTask { get; }

    /// <summary>Whether the pixels of following tiles are fetched while a tile computes; a kernel of one tap has a way of its own, tall tiles do not fetch.</summary>
    public bool FetchesAhead { get; }

    /// <summary>Number of tasks: groups of images x spans of tiles x parts of the blocks of channels. They depend on the sizes alone.</summary>
    public int Tasks => Groups * Spans * (Shape.Blocks(TargetChannels) / BlocksPerTask);

    /// <summary>Floats of the packed weights.</summary>
    public long PackedFloats => (long)Taps * SourceChannels * Shape.PaddedWidth(TargetChannels);

    public static Conv2dGatherPlan Forward(Conv2dSizes sizes, SimdWidth widest) => new(sizes, false, widest);

    public static Conv2dGatherPlan InputGradient(Conv2dSizes sizes, SimdWidth widest) => new(sizes, true, widest);

    /// <summary>For each class of target pixels: the pixels, and for pixel and tap the source pixel or -1.</summary>
    private readonly record struct GatherTaps(IReadOnlyList<int[]> Classes, Func<int, int, int> Source);

    private static GatherTaps ForwardTaps(Conv2dSizes s) => new(
        [[.. Enumerable.Range(0, s.OutputHeight * s.OutputWidth)]],
        (pixel, tap) =>
        {
            int h = pixel / s.OutputWidth * s.Stride + tap / s.KernelWidth - s.Padding;
            int w = pixel % s.OutputWidth * s.Stride + tap % s.KernelWidth - s.Padding;
            return h >= 0 && h < s.Height && w >= 0 && w < s.Width ? h * s.Width + w : -1;
        });

    private static GatherTaps InputGradientTaps(Conv2dSizes s)
    {
        var classes = Enumerable.Range(0, s.Height * s.Width)
            .GroupBy(pixel => (pixel / s.Width % s.Stride, pixel % s.Width % s.Stride))
            .Select(pixels => pixels.ToArray())
            .ToArray();
        return new(classes, (pixel, tap) =>
        {
            int p = pixel / s.Width + s.Padding - tap / s.KernelWidth, q = pixel % s.Width + s.Padding - tap % s.KernelWidth;
            return p >= 0 && p % s.Stride == 0 && p / s.Stride < s.OutputHeight && q >= 0 && q % s.Stride == 0 && q / s.Stride < s.OutputWidth
                ? p / s.Stride * s.OutputWidth + q / s.Stride
                : -1;
        });
    }

    /// <summary>
    /// Leaves out the pixels that no tap reaches: three of four in the input gradient of a 1x1 kernel with stride 2.
    /// </summary>
    private GatherTaps WithoutUnreached(GatherTaps taps, int pixels)
    {
        bool IsReached(int pixel) => Enumerable.Range(0, Taps).Any(tap => taps.Source(pixel, tap) >= 0);
        for (int pixel = 0; pixel < pixels; pixel++)
            if (!IsReached(pixel))
                Unreached.Add(pixel, TargetChannels);
        return taps with { Classes = [.. taps.Classes.Select(pixelClass => pixelClass.Where(IsReached).ToArray())] };
    }

    private TileTable Table(GatherTaps taps, int images)
    {
        var table = new TileTable.Builder(Shape.Rows);
        int pixels = Shape.Rows / images;
        Span<int> rows = stackalloc int[Shape.Rows];
        foreach (var pixelClass in taps.Classes)
            for (int first = 0; first < pixelClass.Length; first += pixels)
            {
                int count = Math.Min(pixels, pixelClass.Length - first) * images;
                for (int i = 0; i < count; i++)
                    rows[i] = pixelClass[first + i / images] * TargetChannels + i % images * TargetImage;
                table.AddTile(1, rows[..count]);
                for (int tap = 0; tap < Taps; tap++)
                {
                    bool meetsImage = false;
                    for (int i = 0; i < count; i++)
                    {
                        int source = taps.Source(pixelClass[first + i / images], tap);
                        rows[i] = source < 0 ? -1 : source * SourceChannels + i % images * SourceImage;
                        meetsImage |= source >= 0;
                    }
                    if (meetsImage)
                        table.AddSegment(tap, rows[..count]);
                }
            }
        return table.Build();
    }
}
