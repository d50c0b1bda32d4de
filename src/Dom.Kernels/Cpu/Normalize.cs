using System.Numerics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// An image has three channels, fewer than a vector has lanes. So the constants are laid out as they repeat over Channels whole vectors, and the
// elements are taken vector by vector as if they were a line.
public sealed unsafe partial class CpuBackend : IKernel<NormalizeForward>, IKernel<NormalizeBackward>
{
    void IKernel<NormalizeForward>.Run(in NormalizeForward call) =>
        Standardize(Floats(call.X, nameof(NormalizeForward)), Floats(call.Mean, nameof(NormalizeForward)),
            Floats(call.Std, nameof(NormalizeForward)), Floats(call.Y, nameof(NormalizeForward)), call.Y.Length, call.Channels);

    void IKernel<NormalizeBackward>.Run(in NormalizeBackward call) =>
        Standardize(Floats(call.Dy, nameof(NormalizeBackward)), null,
            Floats(call.Std, nameof(NormalizeBackward)), Floats(call.Dx, nameof(NormalizeBackward)), call.Dx.Length, call.Channels);

    private void Standardize(float* x, float* mean, float* std, float* y, int count, int channels)
    {
        int period = channels * Vector<float>.Count;
        float* means = SharedScratch.Floats(2L * period), stds = means + period;
        for (int i = 0; i < period; i++)
        {
            means[i] = mean is null ? 0 : mean[i % channels];
            stds[i] = std[i % channels];
        }
        int size = period * Math.Max(1, ElementsPerTask / period);
        _workers.Run((int)(((long)count + size - 1) / size), new StandardizeJob(x, means, stds, y, count, size, period));
    }

    /// <summary>y = (x - mean) / std; a task starts where the period does.</summary>
    private readonly struct StandardizeJob(float* x, float* mean, float* std, float* y, int count, int size, int period) : IJob
    {
        private readonly float* _x = x, _mean = mean, _std = std, _y = y;

        public void Execute(int task, int worker)
        {
            int i = task * size, end = i + Math.Min(size, count - i), at = 0;
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
            {
                ((Vector.Load(_x + i) - Vector.Load(_mean + at)) / Vector.Load(_std + at)).Store(_y + i);
                at += Vector<float>.Count;
                if (at == period)
                    at = 0;
            }
            for (; i < end; i++, at++)
                _y[i] = (_x[i] - _mean[at]) / _std[at];
        }
    }
}
