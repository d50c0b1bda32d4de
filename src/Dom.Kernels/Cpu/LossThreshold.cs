using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// A batch has some hundred losses: one thread is done before a second one would have started. Sums in f64, in row order.
public sealed unsafe partial class CpuBackend : IKernel<LossThreshold>
{
    void IKernel<LossThreshold>.Run(in LossThreshold call)
    {
        const string Name = nameof(LossThreshold);
        var losses = new ReadOnlySpan<float>(Floats(call.Losses, Name), call.Rows);
        float threshold = call.Lower < 0 ? MeanThreshold(losses, call.Factor) : QuantileThreshold(losses, call.Lower, call.Factor);
        float* keep = Floats(call.Keep, Name);
        for (int n = 0; n < losses.Length; n++)
            keep[n] = IsKept(losses[n], threshold, (LossComparison)call.Comparison) ? 1 : 0;
        *Floats(call.Threshold, Name) = threshold;
    }

    private static float MeanThreshold(ReadOnlySpan<float> losses, float factor)
    {
        double sum = 0;
        foreach (float loss in losses)
            sum += loss;
        return (float)(factor * (sum / losses.Length));
    }

    private float QuantileThreshold(ReadOnlySpan<float> losses, int lower, float fraction)
    {
        var sorted = new Span<float>(SharedScratch.Floats(losses.Length), losses.Length);
        losses.CopyTo(sorted);
        sorted.Sort(); // NaN first
        if (float.IsNaN(sorted[0]))
            return float.NaN;
        float low = sorted[lower];
        return fraction == 0 || lower + 1 == sorted.Length || sorted[lower + 1] == low ? low : (float)(low + fraction * ((double)sorted[lower + 1] - low));
    }
}
