using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>Sums the products of a <see cref="Conv2dWeightGradientPlan"/>: one task is a group of slabs, a block of input channels and blocks of output channels.</summary>
internal readonly unsafe struct Conv2dWeightGradientJob(
    Conv2dWeightGradientPlan plan, float* x, float* dy, float* sums, float** workers, float* zeros) : IJob
{
    private const int PixelsAtOnce = 32;

    public void Execute(int task, int worker)
    {
        int part = task % plan.OutputParts, inputBlock = task / plan.OutputParts % plan.InputBlocks, group = task / plan.OutputParts / plan.InputBlocks;
        int firstBlock = part * plan.OutputBlocksPerTask, endBlock = Math.Min(plan.OutputBlocks, firstBlock + plan.OutputBlocksPerTask);
        int firstSlab = group * plan.SlabsPerGroup, endSlab = Math.Min(plan.Slabs, firstSlab + plan.SlabsPerGroup);
        float* inputs = workers[worker], outputs = inputs + plan.InputSlabFloats;
        TileRun run;
        Unsafe.SkipInit(out run);
        run.Zeros = zeros;
        run.Fetches = run.Streams = false;
        run.Length = 1;
        for (int slab = firstSlab; slab < endSlab; slab++)
        {
            PackInputs(slab, inputBlock, inputs);
            PlanFetch(ref run, slab + 1 < endSlab ? slab + 1 : plan.Slabs, inputBlock, endBlock - firstBlock);
            for (int outputBlock = firstBlock; outputBlock < endBlock; outputBlock++)
            {
                float* panels = plan.OutputsAreSlabs ? dy + slab * (nint)plan.OutputSlabFloats : outputs;
                if (!plan.OutputsAreSlabs)
                    PackOutputs(slab, outputBlock, outputs);
                float* target = sums + group * (nint)plan.GroupFloats + plan.BlockOffset(outputBlock, inputBlock);
                AddProducts(&run, inputBlock, outputBlock, inputs, panels, target, slab > firstSlab);
            }
        }
    }

    private void AddProducts(
        TileRun* run, int inputBlock, int outputBlock, float* inputs, float* panels, float* target, bool adds)
    {
        var kernel = plan.Shape.KernelOf(outputBlock, plan.Sizes.Outputs);
        run->Panel = panels;
        run->PanelPitch = run->Columns = plan.Shape.WidthOf(outputBlock, plan.Sizes.Outputs);
        run->Adds = adds;
        nint tileChannels = (nint)plan.Shape.Rows * plan.Taps * plan.Shape.Width;
        for (int panel = 0; panel + 1 < plan.PanelStarts.Length; panel++)
        {
            run->Tiles = plan.PanelStarts[panel + 1] - plan.PanelStarts[panel];
            run->Table = plan.Panels.At(plan.PanelStarts[panel]);
            for (int channel = 0; channel < plan.ChannelsOf(inputBlock); channel += plan.Shape.Rows)
            {
                run->Source = inputs + (nint)channel * plan.PlaneFloats;
                run->Target = target + channel / plan.Shape.Rows * tileChannels;
                kernel(run);
            }
            run->Adds = true;
        }
    }

    /// <summary>
    /// While a slab's products are summed, x of the next one is fetched; none where <paramref name="slab"/> is past the last.
    /// </summary>
    private void PlanFetch(ref TileRun run, int slab, int inputBlock, int blocks)
    {
        var s = plan.Sizes;
        int pixels = s.Height * s.Width, images = Math.Min(plan.ImagesPerSlab, s.Batch - slab * plan.ImagesPerSlab);
        int tiles = plan.Panels.Tiles * (plan.ChannelsOf(inputBlock) / plan.Shape.Rows) * blocks;
        int firstChannel = inputBlock * plan.InputBlock;
        run.Next = x + (nint)slab * plan.ImagesPerSlab * pixels * s.Inputs + firstChannel;
        run.NextPitch = s.Inputs;
        run.NextFloats = Math.Min(plan.InputBlock, s.Inputs - firstChannel);
        run.NextRows = Math.Max(0, images) * pixels;
        run.NextRowsPerTile = (run.NextRows + tiles - 1) / tiles;
    }

    /// <summary>x of the slab as [channel][row][column modulo stride][column / stride][image].</summary>
    private void PackInputs(int slab, int inputBlock, float* target)
    {
        var s = plan.Sizes;
        int firstChannel = inputBlock * plan.InputBlock, channels = Math.Min(plan.InputBlock, s.Inputs - firstChannel);
        for (int h = 0; h < s.Height; h++)
        {
            if (!plan.ReadsRow(h))
                continue;
            for (int remainder = 0; remainder < Math.Min(s.Stride, s.Width); remainder++)
                if (plan.ReadsColumns(remainder))
                    PackRun(slab, h, remainder, firstChannel, channels, target + (nint)(h * s.Width + plan.ColumnsBefore(remainder)) * plan.ImagesPerSlab);
        }
    }

    private void PackRun(int slab, int h, int firstColumn, int firstChannel, int channels, float* target)
    {
        var s = plan.Sizes;
        float** rows = stackalloc float*[PixelsAtOnce];
        int filled = 0;
        for (int column = firstColumn; column < s.Width; column += s.Stride)
            for (int i = 0; i < plan.ImagesPerSlab; i++)
            {
                int image = slab * plan.ImagesPerSlab + i;
                rows[filled++] = image < s.Batch ? x + (((nint)image * s.Height + h) * s.Width + column) * s.Inputs + firstChannel : zeros;
                if (filled < PixelsAtOnce)
                    continue;
                Transpose.Rows(rows, filled, channels, target, plan.PlaneFloats);
                target += filled;
                filled = 0;
            }
        Transpose.Rows(rows, filled, channels, target, plan.PlaneFloats);
    }

    /// <summary>dy of the slab as [row][column][image][channel of the block], channels padded with zeros to whole vectors.</summary>
    private void PackOutputs(int slab, int outputBlock, float* target)
    {
        var s = plan.Sizes;
        int pixels = s.OutputHeight * s.OutputWidth, width = plan.Shape.WidthOf(outputBlock, s.Outputs);
        nint pitch = (nint)plan.ImagesPerSlab * width;
        for (int i = 0; i < plan.ImagesPerSlab; i++)
        {
            int image = slab * plan.ImagesPerSlab + i;
            float* first = target + (nint)i * width;
            if (image < s.Batch)
            {
                float* source = dy + (nint)image * pixels * s.Outputs;
                OutputPanel.Pack(source, plan.Shape, outputBlock, s.Outputs, pixels, first, pitch);
            }
            else
                for (int pixel = 0; pixel < pixels; pixel++)
                    new Span<float>(first + pixel * pitch, width).Clear();
        }
    }
}

/// <summary>Adds the sums of all groups, in order, and stores them as weights [K, R, S, C]. One task is a block of output channels and a tap.</summary>
internal readonly unsafe struct Conv2dWeightReduction(Conv2dWeightGradientPlan plan, float* sums, float* dweight) : IJob
{
    public int Tasks => plan.OutputBlocks * plan.Taps;

    public void Execute(int task, int worker)
    {
        int outputBlock = task / plan.Taps, tap = task % plan.Taps, width = plan.Shape.Width;
        int firstOutput = outputBlock * width, outputs = Math.Min(width, plan.Sizes.Outputs - firstOutput);
        nint pitch = (nint)plan.Taps * plan.Sizes.Inputs;
        float* target = dweight + firstOutput * pitch + (nint)tap * plan.Sizes.Inputs;
        float* total = stackalloc float[plan.Shape.Rows * width];
        for (int first = 0; first < plan.Sizes.Inputs; first += plan.Shape.Rows)
        {
            // Blocks of input channels follow one another, so the tiles of all blocks are equally far apart.
            AddGroups(sums + plan.BlockOffset(outputBlock, 0) + ((nint)first * plan.Taps + (nint)tap * plan.Shape.Rows) * width, width, total);
            int channels = Math.Min(plan.Shape.Rows, plan.Sizes.Inputs - first);
            Transpose.Tile(total, width, channels, outputs, target + first, pitch);
        }
    }

    private void AddGroups(float* first, int width, float* total)
    {
        int count = plan.Shape.Rows * width;
        var sum = new Span<float>(total, count);
        new ReadOnlySpan<float>(first, count).CopyTo(sum);
        for (int group = 1; group < plan.Groups; group++)
        {
            float* next = first + group * (nint)plan.GroupFloats;
            for (int i = 0; i < count; i++)
                total[i] += next[i];
        }
    }
}
