using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<AvgPool2dForward>, IKernel<AvgPool2dBackward>
{
    void IKernel<AvgPool2dForward>.Run(in AvgPool2dForward call)
    {
        double[] x = Load(call.X), y = new double[call.Y.Length];
        foreach (var (input, output, _) in WindowPixels(call.Sizes))
            for (int c = 0; c < call.Sizes.Channels; c++)
                y[output + c] += x[input + c] / (call.Sizes.KernelHeight * call.Sizes.KernelWidth);
        Store(y, call.Y);
    }

    void IKernel<AvgPool2dBackward>.Run(in AvgPool2dBackward call)
    {
        double[] dy = Load(call.Dy), dx = new double[call.Dx.Length];
        foreach (var (input, output, _) in WindowPixels(call.Sizes))
            for (int c = 0; c < call.Sizes.Channels; c++)
                dx[input + c] += dy[output + c] / (call.Sizes.KernelHeight * call.Sizes.KernelWidth);
        Store(dx, call.Dx);
    }

    /// <summary>
    /// Every pixel of every window, padding left out, window by window and within it in row-major order: offsets of the first channels, and the
    /// number of the pixel within its image.
    /// </summary>
    private static IEnumerable<(int Input, int Output, int Pixel)> WindowPixels(Pool2dSizes s)
    {
        for (int n = 0; n < s.Batch; n++)
            for (int p = 0; p < s.OutputHeight; p++)
                for (int q = 0; q < s.OutputWidth; q++)
                    for (int r = 0; r < s.KernelHeight; r++)
                        for (int t = 0; t < s.KernelWidth; t++)
                        {
                            int h = p * s.Stride + r - s.Padding, w = q * s.Stride + t - s.Padding;
                            if (h >= 0 && h < s.Height && w >= 0 && w < s.Width)
                                yield return (
                                    ((n * s.Height + h) * s.Width + w) * s.Channels,
                                    ((n * s.OutputHeight + p) * s.OutputWidth + q) * s.Channels,
                                    h * s.Width + w);
                        }
    }
}
