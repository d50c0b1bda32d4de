using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

/// <summary>
/// How the gradient with respect to the weights is summed where a pixel's operands are a few short runs of floats:
/// dweight [K, R S C] is a sum over output pixels of outer products, x of the pixel's window (R S C floats) times dy of
/// the pixel (K floats).
/// </summary>
/// <remarks>
/// Two kinds. With a 1x1 kernel the window is one pixel of x: <see cref="Conv2dPointwiseGradientJob"/>. With few input
/// channels it is some overlapping runs, read where they lie: <see cref="Conv2dStemGradientJob"/>. Units (runs of pixels,
/// or images) are dealt to a fixed number of groups; a group adds its units in turn, and the groups are added at the
/// end: the same bits on any number of threads.
/// </remarks>
internal sealed unsafe class Conv2dPixelGradientPlan
{
    /// <summary>
    /// Most pixels whose products are summed in registers (but one row at least): with 64 columns they fill half of the
    /// first-level cache.
    /// </summary>
    private const int LongestRun = 64;

    /// <summary>The same where pixels are packed: their columns then come from the second-level cache, a line after the other.</summary>
    private const int LongestPackedRun = 128;

    /// <summary>
    /// Input channels from which on a 1x1 kernel packs its pixels: with a stride they lie a multiple of 1 KiB apart, in the same few sets
    /// of the first-level cache.
    /// </summary>
    private const int FewestPackedInputs = 128;

    private const int PackedGap = 16; // packed pixels of a power of two of channels would share sets again

    private const int MostInputsOfStem = 4;
    private const int RowsPerTask = 192, OutputsPerTask = 320;
    private const int TasksWanted = 32;
    private const long MostSumFloats = 1L << 20;

    private readonly int[] _offsets;

    private Conv2dPixelGradientPlan(Conv2dSizes sizes, SimdWidth widest)
    {
        Sizes = sizes;
        Rows = sizes.KernelHeight * sizes.KernelWidth * sizes.Inputs;
        Shape = TileShape.For(sizes.Outputs, widest);
        Tiles = (Rows + Shape.Rows - 1) / Shape.Rows;
        OutputBlocks = Shape.Blocks(sizes.Outputs);
        GroupFloats = (long)OutputBlocks * Shape.Width * Tiles * Shape.Rows;

        bool isPointwise = IsPointwise(sizes);
        int rowBlocks = isPointwise ? (Rows + RowsPerTask - 1) / RowsPerTask : 1;
        TilesPerTask = (Tiles + rowBlocks - 1) / rowBlocks;
        RowBlocks = (Tiles + TilesPerTask - 1) / TilesPerTask;
        int parts = isPointwise ? (sizes.Outputs + OutputsPerTask - 1) / OutputsPerTask : 1;
        OutputBlocksPerTask = (OutputBlocks + parts - 1) / parts;
        OutputParts = (OutputBlocks + OutputBlocksPerTask - 1) / OutputBlocksPerTask;

        Packs = isPointwise && sizes.Inputs >= FewestPackedInputs;
        RowsPerRun = Math.Clamp((Packs ? LongestPackedRun : LongestRun) / sizes.OutputWidth, 1, isPointwise ? OutputRows : sizes.OutputHeight);
        RunsPerImage = (OutputRows + RowsPerRun - 1) / RowsPerRun;
        Units = isPointwise ? Images * RunsPerImage : sizes.Batch;
        int blocks = RowBlocks * OutputParts, mostGroups = (int)Math.Clamp(MostSumFloats / GroupFloats, 1, Units);
        int groups = Math.Clamp(TasksWanted / blocks, 1, mostGroups);
        UnitsPerGroup = (Units + groups - 1) / groups;
        Groups = (Units + UnitsPerGroup - 1) / UnitsPerGroup;

        PaddedRow = (sizes.Width + 2 * sizes.Padding) * sizes.Inputs;
        PackedPitch = TilesPerTask * Shape.Rows + PackedGap;
        FrameFloats = Packs ? RowsPerRun * sizes.OutputWidth * PackedPitch : isPointwise ? 0 : (sizes.Height + 2 * sizes.Padding) * PaddedRow;
        PanelFloats = RowsPerRun * sizes.OutputWidth * Shape.Width;
        _offsets = GC.AllocateUninitializedArray<int>(Tiles * Shape.Rows, pinned: true);
        for (int i = 0; i < _offsets.Length; i++)
            _offsets[i] = WindowOffset(Math.Min(i, Rows - 1));
    }

    public Conv2dSizes Sizes { get; }

    /// <summary>Rows of the transposed gradient, R S C.</summary>
    public int Rows { get; }

    /// <summary>Tile of rows by output channels.</summary>
    public TileShape Shape { get; }

    /// <summary>Tiles that cover the rows.</summary>
    public int Tiles { get; }

    /// <summary>Tiles of rows that a task works on.</summary>
    public int TilesPerTask { get; }

    public int RowBlocks { get; }

    public int OutputBlocks { get; }

    /// <summary>Blocks of output channels that a task works on.</summary>
    public int OutputBlocksPerTask { get; }

    public int OutputParts { get; }

    /// <summary>
    /// Images, or one where all rows that are read are equally far apart: then a run may be rows of several images.
    /// </summary>
    public int Images => RowsGoOn ? 1 : Sizes.Batch;

    /// <summary>Rows of output of each of the <see cref="Images"/>.</summary>
    public int OutputRows => RowsGoOn ? Sizes.Batch * Sizes.OutputHeight : Sizes.OutputHeight;

    /// <summary>Rows of output that are one run of the kernel.</summary>
    public int RowsPerRun { get; }

    public int RunsPerImage { get; }

    /// <summary>Runs of pixels with a 1x1 kernel, else images.</summary>
    public int Units { get; }

    public int UnitsPerGroup { get; }

    public int Groups { get; }

    /// <summary>Floats of a row of x with its padding.</summary>
    public int PaddedRow { get; }

    /// <summary>Whether a 1x1 kernel copies the pixels of a run, and of its columns a block, to where they lie close.</summary>
    public bool Packs { get; }

    /// <summary>Floats from a packed pixel to the next.</summary>
    public int PackedPitch { get; }

    /// <summary>Floats of an image in its padding, or of the packed pixels of a run.</summary>
    public int FrameFloats { get; }

    /// <summary>Floats of a block of dy for one run.</summary>
    public int PanelFloats { get; }

    /// <summary>Floats of the sums of one group: [output block][tile][row][output channel].</summary>
    public long GroupFloats { get; }

    /// <summary>Groups x blocks of rows x parts of the output channels. They depend on the sizes alone.</summary>
    public int Tasks => Groups * RowBlocks * OutputParts;

    /// <summary>Where the rows of a tile begin in the window of a pixel, tile after tile.</summary>
    public int* Offsets => (int*)Unsafe.AsPointer(ref _offsets[0]);

    /// <summary>Whether a convolution's gradient is summed this way.</summary>
    public static bool Suits(Conv2dSizes sizes) => IsPointwise(sizes) || sizes.Inputs <= MostInputsOfStem;

    /// <summary>Whether each output pixel reads one input pixel.</summary>
    public static bool IsPointwise(Conv2dSizes sizes) =>
        sizes.KernelHeight == 1 && sizes.KernelWidth == 1 && sizes.Padding == 0;

    public static Conv2dPixelGradientPlan For(Conv2dSizes sizes, SimdWidth widest) => new(sizes, widest);

    /// <summary>Where the sums of a tile begin in those of its group.</summary>
    public nint TileOffset(int outputBlock, int tile) =>
        Shape.Rows
        * ((nint)outputBlock * Tiles * Shape.Width + (nint)tile * Shape.WidthOf(outputBlock, Sizes.Outputs));

    /// <summary>Whether dy is read where it lies: not if columns of the block are missing, or if other blocks lie between its pixels and all is packed.</summary>
    public bool IsWhole(int block) => (!Packs || OutputBlocks == 1) && block * Shape.Width + Shape.WidthOf(block, Sizes.Outputs) <= Sizes.Outputs;

    private bool RowsGoOn => IsPointwise(Sizes) && Sizes.Height == Sizes.OutputHeight * Sizes.Stride;

    /// <summary>Row i of the gradient: its tap and channel in an image that has its padding around it.</summary>
    private int WindowOffset(int i)
    {
        int run = Sizes.KernelWidth * Sizes.Inputs;
        return i / run * PaddedRow + i % run;
    }
}
