using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>Computes the target of a <see cref="Conv2dGatherPlan"/>: one task is a group of images, a span of tiles and a block of channels.</summary>
internal readonly unsafe struct Conv2dGatherJob(
    Conv2dGatherPlan plan, float* source, float* packed, float* target, float* zeros, bool streams) : IJob
{
    private const int LineFloats = 16;
    private const int LargestTile = TileTable.TileRows * 64;

    public void Execute(int task, int worker)
    {
        int blocks = plan.Shape.Blocks(plan.TargetChannels);
        int block = task % blocks, span = task / blocks % plan.Spans, group = task / blocks / plan.Spans;
        int channel = block * plan.Shape.Width, width = plan.Shape.WidthOf(block, plan.TargetChannels);
        var kernel = plan.Shape.KernelOf(block, plan.TargetChannels);
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
                bool four = plan.FourImages is not null && lastImage - image >= TileTable.TileRows;
                var table = four ? plan.FourImages! : plan.OneImage;
                int firstTile = (int)((long)table.Tiles * span / plan.Spans), lastTile = (int)((long)table.Tiles * (span + 1) / plan.Spans);
                if (start == 0)
                    for (int i = image; i < image + (four ? TileTable.TileRows : 1); i++)
                        plan.Unreached.Clear(
                            target + (nint)i * plan.TargetImage, span * blocks + block, plan.Spans * blocks, streams);
                if (firstTile < lastTile)
                {
                    run.Table = table.At(firstTile);
                    run.Tiles = lastTile - firstTile;
                    run.Source = source + (nint)image * plan.SourceImage + start;
                    run.Target = target + (nint)image * plan.TargetImage + channel;
                    kernel(&run);
                }
                image += four ? TileTable.TileRows : 1;
            }
        }
    }
}
