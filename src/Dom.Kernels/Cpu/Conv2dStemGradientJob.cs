using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Sums the weight gradient of a convolution with few input channels: one task is a group of images. An image is copied
/// into a frame of zeros, its padding; the windows of its pixels are then read where they overlap.
/// </summary>
internal readonly unsafe struct Conv2dStemGradientJob(
    Conv2dPixelGradientPlan plan, float* x, float* dy, float* sums, float** workers) : IJob
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Execute(int task, int worker)
    {
        var s = plan.Sizes;
        int first = task * plan.UnitsPerGroup, end = Math.Min(plan.Units, first + plan.UnitsPerGroup);
        float* framed = workers[worker], panel = framed + plan.FrameFloats;
        new Span<float>(framed, plan.FrameFloats).Clear();
        WindowRun run;
        Unsafe.SkipInit(out run);
        run.Tiles = plan.Tiles;
        run.Offsets = plan.Offsets;
        run.PixelPitch = s.Stride * s.Inputs;
        run.RowPitch = s.Stride * plan.PaddedRow;
        run.PixelsPerRow = s.OutputWidth;
        run.Adds = false;
        for (int image = first; image < end; image++)
        {
            CopyInto(framed, image);
            for (int row = 0; row < s.OutputHeight; row += plan.RowsPerRun, run.Adds = true)
            {
                run.Rows = Math.Min(plan.RowsPerRun, s.OutputHeight - row);
                run.X = framed + row * run.RowPitch;
                float* columns = dy + ((nint)image * s.OutputHeight + row) * s.OutputWidth * s.Outputs;
                AddRows(&run, columns, panel, sums + task * (nint)plan.GroupFloats);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddRows(WindowRun* run, float* source, float* panel, float* target)
    {
        int outputs = plan.Sizes.Outputs, pixels = run->Rows * run->PixelsPerRow, floats = pixels * outputs;
        float* end = dy + (nint)plan.Sizes.Batch * plan.OutputRows * plan.Sizes.OutputWidth * outputs;
        run->Next = source + floats;
        run->NextFloats = (int)Math.Min(floats, end - run->Next);
        for (int block = 0; block < plan.OutputBlocks; block++)
        {
            int width = plan.Shape.WidthOf(block, outputs);
            bool isWhole = plan.IsWhole(block);
            run->Dy = isWhole ? source + block * plan.Shape.Width : panel;
            run->DyPitch = isWhole ? outputs : width;
            if (!isWhole)
                OutputPanel.Pack(source, plan.Shape, block, outputs, pixels, panel, width);
            run->Target = target + plan.TileOffset(block, 0);
            plan.Shape.WindowKernelOf(block, outputs)(run);
            run->NextFloats = 0;
        }
    }

    private void CopyInto(float* framed, int image)
    {
        var s = plan.Sizes;
        int row = s.Width * s.Inputs;
        for (int h = 0; h < s.Height; h++)
            new ReadOnlySpan<float>(x + ((nint)image * s.Height + h) * row, row)
                .CopyTo(new Span<float>(framed + (nint)(h + s.Padding) * plan.PaddedRow + s.Padding * s.Inputs, row));
    }
}
