using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Sums the weight gradient of a 1x1 convolution: one task is a group of runs of pixels, a block of input channels and
/// blocks of output channels. Both operands are read where they lie, or packed first where that is far apart; what the next run reads is fetched
/// while this one computes.
/// </summary>
internal readonly unsafe struct Conv2dPointwiseGradientJob(
    Conv2dPixelGradientPlan plan, float* x, float* dy, float* sums, float** workers) : IJob
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Execute(int task, int worker)
    {
        int part = task % plan.OutputParts, rowBlock = task / plan.OutputParts % plan.RowBlocks;
        int group = task / plan.OutputParts / plan.RowBlocks;
        int firstBlock = part * plan.OutputBlocksPerTask;
        int endBlock = Math.Min(plan.OutputBlocks, firstBlock + plan.OutputBlocksPerTask);
        int firstTile = rowBlock * plan.TilesPerTask, tiles = Math.Min(plan.TilesPerTask, plan.Tiles - firstTile);
        int firstUnit = group * plan.UnitsPerGroup, endUnit = Math.Min(plan.Units, firstUnit + plan.UnitsPerGroup);
        int channel = firstTile * plan.Shape.Rows, output = firstBlock * plan.Shape.Width;
        int channels = Math.Min(plan.Rows - channel, tiles * plan.Shape.Rows);
        var fetch = new Conv2dPixelFetch(channels, Math.Min(plan.Sizes.Outputs, endBlock * plan.Shape.Width) - output);
        float* target = sums + group * (nint)plan.GroupFloats;
        WindowRun run;
        Unsafe.SkipInit(out run);
        run.Tiles = 1;
        run.NextFloats = 0;
        for (int unit = firstUnit; unit < endUnit; unit++)
        {
            float* columns = Place(ref run, unit);
            run.Adds = unit > firstUnit;
            if (unit + 1 < endUnit)
            {
                WindowRun next;
                Unsafe.SkipInit(out next);
                float* nextColumns = Place(ref next, unit + 1);
                next.X += channel;
                fetch.Begin(next, nextColumns + output, plan.Sizes.Outputs, (endBlock - firstBlock) * tiles);
            }
            if (plan.Packs)
                PackPixels(ref run, channel, channels, workers[worker]);
            for (int block = firstBlock; block < endBlock; block++)
                AddProducts(&run, columns, block, firstTile, tiles, workers[worker] + plan.FrameFloats, target, ref fetch);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddProducts(
        WindowRun* run, float* columns, int block, int firstTile, int tiles, float* panel, float* target,
        ref Conv2dPixelFetch fetch)
    {
        int outputs = plan.Sizes.Outputs, width = plan.Shape.WidthOf(block, outputs);
        bool isWhole = plan.IsWhole(block);
        run->Dy = isWhole ? columns + block * plan.Shape.Width : panel;
        run->DyPitch = isWhole ? outputs : width;
        if (!isWhole)
            OutputPanel.Pack(columns, plan.Shape, block, outputs, run->Rows * run->PixelsPerRow, panel, width);
        var kernel = plan.Shape.WindowKernelOf(block, outputs);
        for (int tile = firstTile; tile < firstTile + tiles; tile++)
        {
            fetch.Step();
            run->Offsets = plan.Offsets + tile * plan.Shape.Rows;
            run->Target = target + plan.TileOffset(block, tile);
            kernel(run);
        }
    }

    /// <summary>Copies so many channels of a run's pixels to where they lie close, and lets the run read them there.</summary>
    private void PackPixels(ref WindowRun run, int channel, int channels, float* packed)
    {
        float* target = packed;
        for (int row = 0; row < run.Rows; row++)
        {
            float* x = run.X + row * run.RowPitch + channel;
            for (int pixel = 0; pixel < run.PixelsPerRow; pixel++, x += run.PixelPitch, target += plan.PackedPitch)
                new ReadOnlySpan<float>(x, channels).CopyTo(new Span<float>(target, channels));
        }
        run.X = packed - channel; // offsets count from the first channel of all
        run.PixelPitch = plan.PackedPitch;
        run.RowPitch = (nint)plan.PackedPitch * run.PixelsPerRow;
    }

    /// <summary>Says where the pixels of a unit lie in x and returns where they lie in dy.</summary>
    private float* Place(ref WindowRun run, int unit)
    {
        var s = plan.Sizes;
        int image = unit / plan.RunsPerImage, row = unit % plan.RunsPerImage * plan.RowsPerRun;
        run.PixelPitch = s.Stride * s.Inputs;
        run.RowPitch = s.Stride * s.Width * s.Inputs;
        run.Rows = Math.Min(plan.RowsPerRun, plan.OutputRows - row);
        run.PixelsPerRow = s.OutputWidth;
        run.X = x + (nint)image * s.Height * s.Width * s.Inputs + row * run.RowPitch;
        return dy + ((nint)image * plan.OutputRows + row) * s.OutputWidth * s.Outputs;
    }
}
