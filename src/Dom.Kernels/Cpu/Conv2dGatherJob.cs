using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>Computes the target of a <see cref="Conv2dGatherPlan"/>: one task is a group of images, a span of tiles and some blocks of channels.</summary>
internal readonly unsafe struct Conv2dGatherJob(
    Conv2dGatherPlan plan, float* source, float* packed, float* target, float* zeros, bool streams) : IJob
{
    private const int LineFloats = 16;
    private const int LargestTile = TileTable.MostRows * 32;
    private const int RowsAhead = 2; // of the source; measured: 1 to 4 make no difference

    public void Execute(int task, int worker)
    {
        int parts = plan.Shape.Blocks(plan.TargetChannels) / plan.BlocksPerTask;
        int first = task % parts * plan.BlocksPerTask, span = task / parts % plan.Spans, group = task / parts / plan.Spans;
        for (int block = first; block < first + plan.BlocksPerTask; block++)
            Run(block, span, group);
    }

    private void Run(int block, int span, int group)
    {
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.TargetChannels);
        var kernel = plan.Shape.KernelOf(block, plan.TargetChannels);
        var fetching = plan.Shape.KernelOf<FetchesAtSegments>(block, plan.TargetChannels);
        float* edge = stackalloc float[LargestTile];
        TileRun run;
        Unsafe.SkipInit(out run);
        run.Zeros = zeros;
        run.Edge = edge;
        run.Columns = Math.Min(width, plan.TargetChannels - channel);
        bool isWhole = plan.Chunk == plan.SourceChannels && run.Columns == width;
        run.Streams = streams && isWhole && plan.TargetChannels % LineFloats == 0
            && (nuint)target % (LineFloats * sizeof(float)) == 0;
        run.NextRows = 0;
        run.Fetches = plan.Taps == 1;
        int firstImage = group * plan.ImagesPerTask, lastImage = Math.Min(plan.Sizes.Batch, firstImage + plan.ImagesPerTask);
        for (int start = 0; start < plan.SourceChannels; start += plan.Chunk)
        {
            run.Length = Math.Min(plan.Chunk, plan.SourceChannels - start);
            run.Panel = packed + (nint)plan.Taps * ((nint)channel * plan.SourceChannels + (nint)start * width);
            run.PanelPitch = (nint)run.Length * width;
            run.Adds = start > 0;
            for (int image = firstImage; image < lastImage;)
            {
                int images = plan.AcrossImages is not null && lastImage - image >= plan.Shape.Rows ? plan.Shape.Rows : 1;
                var table = images > 1 ? plan.AcrossImages! : plan.OneImage;
                int firstTile = (int)((long)table.Tiles * span / plan.Spans), lastTile = (int)((long)table.Tiles * (span + 1) / plan.Spans);
                run.Source = source + (nint)image * plan.SourceImage + start;
                run.Target = target + (nint)image * plan.TargetImage + channel;
                if (start == 0 && plan.Unreached.Count > 0)
                {
                    RunAndClear(&run, kernel, table, firstTile, lastTile, images, block, span);
                }
                else if (firstTile < lastTile)
                {
                    run.Table = table.At(firstTile);
                    run.Tiles = lastTile - firstTile;
                    bool fetches = plan.FetchesAhead && start == 0;
                    if (fetches)
                        PlanFetch(&run, images, span);
                    (fetches ? fetching : kernel)(&run);
                }
                image += images;
            }
        }
    }

    /// <summary>
    /// Runs the tiles of some images and after each clears a share of the pixels that no tap reaches: few enough zeros for the buffers of streaming stores,
    /// which drain while the next tile computes.
    /// </summary>
    private void RunAndClear(
        TileRun* run, delegate*<TileRun*, void> kernel, TileTable table, int firstTile, int lastTile, int images, int block, int span)
    {
        int blocks = plan.Shape.Blocks(plan.TargetChannels), pieces = Math.Max(1, lastTile - firstTile);
        float* first = run->Target - block * plan.Shape.Width;
        run->Tiles = 1;
        for (int piece = 0; piece < pieces; piece++)
        {
            if (firstTile + piece < lastTile)
            {
                run->Table = table.At(firstTile + piece);
                kernel(run);
            }
            for (int i = 0; i < images; i++)
                plan.Unreached.Clear(
                    first + (nint)i * plan.TargetImage, (span * blocks + block) * pieces + piece, plan.Spans * blocks * pieces, streams);
        }
    }

    /// <summary>
    /// While the tiles of some images compute, what they will read a little later is fetched, at the end that of the next images: the pixels of a
    /// strided convolution are too far apart for the processor to foresee.
    /// </summary>
    private void PlanFetch(TileRun* run, int images, int span)
    {
        long floats = (long)images * plan.SourceImage, first = floats * span / plan.Spans, share = floats / plan.Spans;
        run->Next = run->Source + first + (images > 1 ? floats : RowsAhead * plan.SourceWidth * plan.SourceChannels);
        run->NextLines = (int)((share / LineFloats + (long)run->Tiles * plan.Taps - 1) / ((long)run->Tiles * plan.Taps));
    }
}
