using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<LossThreshold>
{
    void IKernel<LossThreshold>.Run(in LossThreshold call)
    {
        double[] losses = Load(call.Losses), keep = new double[call.Rows];
        double threshold = call.Lower < 0 ? call.Factor * (losses.Sum() / call.Rows) : Quantile(losses, call.Lower, call.Factor);
        if (call.Threshold.Type != DType.F64)
            threshold = (float)threshold; // the mask is decided on what is stored
        for (int n = 0; n < call.Rows; n++)
            keep[n] = ((LossComparison)call.Comparison == LossComparison.KeepAbove ? losses[n] > threshold : losses[n] >= threshold) ? 1 : 0;
        Store([threshold], call.Threshold);
        Store(keep, call.Keep);
    }

    private static double Quantile(double[] losses, int lower, double fraction)
    {
        if (losses.Any(double.IsNaN))
            return double.NaN;
        double[] sorted = [.. losses.Order()];
        double low = sorted[lower];
        return fraction == 0 || lower + 1 == sorted.Length || sorted[lower + 1] == low ? low : low + fraction * (sorted[lower + 1] - low);
    }
}
