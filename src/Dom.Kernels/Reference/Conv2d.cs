using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend :
    IKernel<Conv2dForward>, IKernel<Conv2dInputGradient>, IKernel<Conv2dWeightGradient>
{
    void IKernel<Conv2dForward>.Run(in Conv2dForward call)
    {
        double[] x = Load(call.X), weight = Load(call.Weight), y = new double[call.Y.Length];
        foreach (var tap in Taps(call.Sizes))
            for (int k = 0; k < call.Sizes.Outputs; k++)
                for (int c = 0; c < call.Sizes.Inputs; c++)
                    y[tap.Output + k] += x[tap.Input + c] * weight[WeightAt(call.Sizes, k, tap) + c];
        Store(y, call.Y);
    }

    void IKernel<Conv2dInputGradient>.Run(in Conv2dInputGradient call)
    {
        double[] dy = Load(call.Dy), weight = Load(call.Weight), dx = new double[call.Dx.Length];
        foreach (var tap in Taps(call.Sizes))
            for (int k = 0; k < call.Sizes.Outputs; k++)
                for (int c = 0; c < call.Sizes.Inputs; c++)
                    dx[tap.Input + c] += dy[tap.Output + k] * weight[WeightAt(call.Sizes, k, tap) + c];
        Store(dx, call.Dx);
    }

    void IKernel<Conv2dWeightGradient>.Run(in Conv2dWeightGradient call)
    {
        double[] x = Load(call.X), dy = Load(call.Dy), dweight = new double[call.DWeight.Length];
        foreach (var tap in Taps(call.Sizes))
            for (int k = 0; k < call.Sizes.Outputs; k++)
                for (int c = 0; c < call.Sizes.Inputs; c++)
                    dweight[WeightAt(call.Sizes, k, tap) + c] += dy[tap.Output + k] * x[tap.Input + c];
        Store(dweight, call.DWeight);
    }

    /// <summary>Every pair of an input pixel and an output pixel that some tap of the kernel connects: offsets of their first channels.</summary>
    private static IEnumerable<(int Input, int Output, int Tap)> Taps(Conv2dSizes s)
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
                                    ((n * s.Height + h) * s.Width + w) * s.Inputs,
                                    ((n * s.OutputHeight + p) * s.OutputWidth + q) * s.Outputs,
                                    r * s.KernelWidth + t);
                        }
    }

    private static int WeightAt(Conv2dSizes s, int k, (int Input, int Output, int Tap) tap) =>
        (k * s.KernelHeight * s.KernelWidth + tap.Tap) * s.Inputs;
}
