using System.Numerics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// One task a row of the result. The backward pass gathers: a pixel of dx adds up the windows that hold it, in their order, so no two tasks
// write the same element.
public sealed unsafe partial class CpuBackend : IKernel<AvgPool2dForward>, IKernel<AvgPool2dBackward>
{
    void IKernel<AvgPool2dForward>.Run(in AvgPool2dForward call) => _workers.Run(
        call.Sizes.Batch * call.Sizes.OutputHeight,
        new AvgPool2dJob(call.Sizes, Floats(call.X, nameof(AvgPool2dForward)), Floats(call.Y, nameof(AvgPool2dForward))));

    void IKernel<AvgPool2dBackward>.Run(in AvgPool2dBackward call) => _workers.Run(
        call.Sizes.Batch * call.Sizes.Height,
        new AvgPool2dGradientJob(call.Sizes, Floats(call.Dy, nameof(AvgPool2dBackward)), Floats(call.Dx, nameof(AvgPool2dBackward))));

    private readonly struct AvgPool2dJob(Pool2dSizes sizes, float* x, float* y) : IJob
    {
        private readonly float* _x = x, _y = y;

        public void Execute(int task, int worker)
        {
            int n = task / sizes.OutputHeight, p = task % sizes.OutputHeight, channels = sizes.Channels;
            float* image = _x + (long)n * sizes.Height * sizes.Width * channels;
            for (int q = 0; q < sizes.OutputWidth; q++)
                AverageOf(
                    image, sizes.Width, sizes.FirstRow(p), sizes.EndRow(p), sizes.FirstColumn(q), sizes.EndColumn(q), channels,
                    sizes.KernelHeight * sizes.KernelWidth, _y + ((long)task * sizes.OutputWidth + q) * channels);
        }
    }

    private readonly struct AvgPool2dGradientJob(Pool2dSizes sizes, float* dy, float* dx) : IJob
    {
        private readonly float* _dy = dy, _dx = dx;

        public void Execute(int task, int worker)
        {
            int n = task / sizes.Height, h = task % sizes.Height, channels = sizes.Channels;
            float* image = _dy + (long)n * sizes.OutputHeight * sizes.OutputWidth * channels;
            for (int w = 0; w < sizes.Width; w++)
                AverageOf(
                    image, sizes.OutputWidth, sizes.FirstOutputRow(h), sizes.EndOutputRow(h),
                    sizes.FirstOutputColumn(w), sizes.EndOutputColumn(w), channels,
                    sizes.KernelHeight * sizes.KernelWidth, _dx + ((long)task * sizes.Width + w) * channels);
        }
    }

    /// <summary>result[c] = sum of the pixels of a rectangle of an image / divisor; 0 for an empty rectangle.</summary>
    private static void AverageOf(
        float* image, int width, int top, int bottom, int left, int right, int channels, float divisor, float* result)
    {
        int c = 0;
        for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
        {
            var sum = Vector<float>.Zero;
            for (int h = top; h < bottom; h++)
                for (int w = left; w < right; w++)
                    sum += Vector.Load(image + ((long)h * width + w) * channels + c);
            (sum / new Vector<float>(divisor)).Store(result + c);
        }
        for (; c < channels; c++)
        {
            float sum = 0;
            for (int h = top; h < bottom; h++)
                for (int w = left; w < right; w++)
                    sum += image[((long)h * width + w) * channels + c];
            result[c] = sum / divisor;
        }
    }
}
