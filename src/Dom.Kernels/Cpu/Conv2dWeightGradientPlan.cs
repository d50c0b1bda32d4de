using Dom.Kernels.Cpu.Simd;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>
/// How the gradient with respect to the weights is summed. A slab is a few images of a block of input channels and of a block of output channels, packed so that
/// a run of output pixels is contiguous in both: x as [channel][row][column modulo stride][column / stride][image], dy as
/// [row][column][image][channel]. A tile is then 4 (or 8) input channels at one tap by a block of output channels, and a segment is a row of a tap.
/// </summary>
/// <remarks>
/// Slabs are dealt to a fixed number of groups of images; a group adds its slabs one after the other, and the groups are added at the end. So the
/// sum is a fixed tree: the same bits on any number of threads, and rounding errors grow with the length of a branch and not of the whole.
/// </remarks>
internal sealed class Conv2dWeightGradientPlan
{
    private const int SlabFloatsInCache = 80 * 1024;    // 320 KiB of x, and as much of dy and of sums, in the second-level cache
    private const int SumFloatsInCache = 76 * 1024;
    private const int PanelPixels = 128;                // 32 KiB of dy serve all taps and input channels in turn
    private const int ShortestRun = 16;
    private const int TasksWanted = 24;
    private const long MostSumFloats = 4L << 20;
    private const int LongestZeroRow = 256;

    private Conv2dWeightGradientPlan(Conv2dSizes sizes, SimdWidth widest)
    {
        Sizes = sizes;
        Taps = sizes.KernelHeight * sizes.KernelWidth;
        Shape = TileShape.For(sizes.Outputs, widest);
        int perImage = sizes.OutputWidth >= ShortestRun ? 1 : (ShortestRun + sizes.OutputWidth - 1) / sizes.OutputWidth;
        Slabs = (sizes.Batch + perImage - 1) / perImage;
        ImagesPerSlab = (sizes.Batch + Slabs - 1) / Slabs;
        PlaneFloats = sizes.Height * sizes.Width * ImagesPerSlab + 16; // the odd pitch keeps the planes out of each other's cache sets
        int channels = RoundUp(sizes.Inputs);
        int limit = Math.Clamp(Math.Min(SlabFloatsInCache / PlaneFloats, SumFloatsInCache / (Taps * Shape.Width)) & -Shape.Rows, Shape.Rows, LongestZeroRow);
        int inputBlocks = (channels + limit - 1) / limit;
        InputBlock = RoundUp((channels + inputBlocks - 1) / inputBlocks);
        InputBlocks = (channels + InputBlock - 1) / InputBlock;
        OutputBlocks = Shape.Blocks(sizes.Outputs);
        GroupFloats = (long)Taps * channels * OutputBlocks * Shape.Width;

        // A task keeps a slab of x for as many blocks of output channels as still leave tasks enough.
        int mostGroups = (int)Math.Clamp(MostSumFloats / GroupFloats, 1, Slabs);
        int blocksPerTask = Math.Clamp(InputBlocks * OutputBlocks * mostGroups / TasksWanted, 1, OutputBlocks);
        int parts = (OutputBlocks + blocksPerTask - 1) / blocksPerTask;
        OutputBlocksPerTask = (OutputBlocks + parts - 1) / parts;
        OutputParts = (OutputBlocks + OutputBlocksPerTask - 1) / OutputBlocksPerTask;
        int blocks = InputBlocks * OutputParts;
        SlabsPerGroup = EvenGroups(Math.Clamp((TasksWanted + blocks - 1) / blocks, 1, mostGroups), mostGroups);
        Groups = (Slabs + SlabsPerGroup - 1) / SlabsPerGroup;
        (Panels, PanelStarts) = Table();
    }

    public Conv2dSizes Sizes { get; }

    /// <summary>Places of the kernel, R S.</summary>
    public int Taps { get; }

    /// <summary>Tile of input channels by output channels.</summary>
    public TileShape Shape { get; }

    /// <summary>Images of a slab: more than one where rows are short.</summary>
    public int ImagesPerSlab { get; }

    /// <summary>Slabs of all images; the last may lack images, which count as zeros.</summary>
    public int Slabs { get; }

    /// <summary>Slabs that are added one after the other.</summary>
    public int SlabsPerGroup { get; }

    /// <summary>Groups of slabs.</summary>
    public int Groups { get; }

    /// <summary>Floats from one packed channel of x to the next.</summary>
    public int PlaneFloats { get; }

    /// <summary>Input channels of a block, a multiple of the rows of a tile.</summary>
    public int InputBlock { get; }

    public int InputBlocks { get; }

    public int OutputBlocks { get; }

    /// <summary>Blocks of output channels that a task works on.</summary>
    public int OutputBlocksPerTask { get; }

    /// <summary>Parts of <see cref="OutputBlocksPerTask"/> blocks.</summary>
    public int OutputParts { get; }

    /// <summary>The tiles of the first four (or eight) input channels, panel after panel; others are a multiple of the plane away.</summary>
    public TileTable Panels { get; }

    /// <summary>First tile of each panel (some rows of dy), and the number of all tiles.</summary>
    public int[] PanelStarts { get; }

    /// <summary>Floats of the sums of one group: [output block][input block][rows of a tile][tap][input channel][output channel].</summary>
    public long GroupFloats { get; }

    /// <summary>Floats of a packed slab of x.</summary>
    public long InputSlabFloats => (long)InputBlock * PlaneFloats;

    /// <summary>Floats of a packed slab of dy.</summary>
    public long OutputSlabFloats => (long)Sizes.OutputHeight * Sizes.OutputWidth * ImagesPerSlab * Shape.Width;

    /// <summary>Whether dy already is as a slab is packed: one image at a time, and one block of whole vectors that has all its channels.</summary>
    public bool OutputsAreSlabs => ImagesPerSlab == 1 && Sizes.Outputs == Shape.Width;

    /// <summary>Floats of a slab of x and of one of dy.</summary>
    public long WorkerFloats => InputSlabFloats + OutputSlabFloats;

    /// <summary>Number of tasks: groups x blocks of input channels x parts of the output channels. They depend on the sizes alone.</summary>
    public int Tasks => Groups * InputBlocks * OutputParts;

    public static Conv2dWeightGradientPlan For(Conv2dSizes sizes, SimdWidth widest) => new(sizes, widest);

    /// <summary>Where the sums of a block begin in those of its group.</summary>
    public nint BlockOffset(int outputBlock, int inputBlock) =>
        ((nint)outputBlock * RoundUp(Sizes.Inputs) + (nint)inputBlock * InputBlock) * Taps * Shape.Width;

    /// <summary>Input channels of a block, a multiple of the rows of a tile.</summary>
    public int ChannelsOf(int inputBlock) => Math.Min(InputBlock, RoundUp(Sizes.Inputs) - inputBlock * InputBlock);

    /// <summary>Columns of x before those whose remainder modulo the stride is <paramref name="remainder"/>.</summary>
    public int ColumnsBefore(int remainder)
    {
        int columns = 0;
        for (int i = 0; i < remainder; i++)
            columns += (Sizes.Width - i + Sizes.Stride - 1) / Sizes.Stride;
        return columns;
    }

    /// <summary>Whether any tap reads row <paramref name="h"/> of x: with a stride beyond the kernel's size, some are never read.</summary>
    public bool ReadsRow(int h) => IsRead(h, Sizes.KernelHeight, Sizes.OutputHeight);

    /// <summary>Whether any tap reads columns of x that have this remainder modulo the stride.</summary>
    public bool ReadsColumns(int remainder) => IsRead(remainder, Math.Min(Sizes.KernelWidth, Sizes.Stride), int.MaxValue);

    /// <summary>Slabs of a group where there are at least so many groups and the last lacks as few as possible.</summary>
    private int EvenGroups(int fewest, int most)
    {
        int best = (Slabs + fewest - 1) / fewest;
        for (int groups = fewest + 1; groups <= Math.Min(most, 2 * fewest); groups++)
        {
            int slabs = (Slabs + groups - 1) / groups;
            if (Lacking(slabs) < Lacking(best))
                best = slabs;
        }
        return best;
    }

    private int Lacking(int slabsPerGroup) => (Slabs + slabsPerGroup - 1) / slabsPerGroup * slabsPerGroup - Slabs;

    private bool IsRead(int at, int kernel, int outputs)
    {
        for (int tap = 0; tap < kernel; tap++)
        {
            int distance = at + Sizes.Padding - tap;
            if (distance % Sizes.Stride == 0 && (outputs == int.MaxValue || (distance >= 0 && distance / Sizes.Stride < outputs)))
                return true;
        }
        return false;
    }

    private int RoundUp(int channels) => (channels + Shape.Rows - 1) / Shape.Rows * Shape.Rows;

    private (TileTable Table, int[] Starts) Table()
    {
        var s = Sizes;
        var table = new TileTable.Builder(Shape.Rows);
        var starts = new List<int>();
        int rows = Math.Max(1, PanelPixels / (s.OutputWidth * ImagesPerSlab));
        for (int first = 0; first < s.OutputHeight; first += rows)
        {
            starts.Add(table.Tiles);
            for (int tap = 0; tap < Taps; tap++)
                AddTap(table, tap, first, Math.Min(s.OutputHeight, first + rows));
        }
        starts.Add(table.Tiles);
        return (table.Build(), [.. starts]);
    }

    /// <summary>Adds the tile of a tap: a segment for each row of dy whose products with x are not all padding.</summary>
    private void AddTap(TileTable.Builder table, int tap, int firstRow, int endRow)
    {
        var s = Sizes;
        int down = tap / s.KernelWidth - s.Padding, right = tap % s.KernelWidth - s.Padding;
        int firstColumn = right >= 0 ? 0 : (-right + s.Stride - 1) / s.Stride;
        int endColumn = Math.Min(s.OutputWidth, s.Width - 1 - right < 0 ? 0 : (s.Width - 1 - right) / s.Stride + 1);
        Span<int> planes = stackalloc int[Shape.Rows];
        for (int i = 0; i < planes.Length; i++)
            planes[i] = (tap * Shape.Rows + i) * Shape.Width;
        table.AddTile(Math.Max(0, endColumn - firstColumn) * ImagesPerSlab, planes);
        if (endColumn <= firstColumn)
            return;
        int column = firstColumn * s.Stride + right;
        for (int row = firstRow; row < endRow; row++)
        {
            int h = row * s.Stride + down;
            if (h < 0 || h >= s.Height)
                continue;
            int offset = (h * s.Width + ColumnsBefore(column % s.Stride) + column / s.Stride) * ImagesPerSlab;
            for (int i = 0; i < planes.Length; i++)
                planes[i] = offset + i * PlaneFloats;
            table.AddSegment((row * s.OutputWidth + firstColumn) * ImagesPerSlab, planes);
        }
    }
}
