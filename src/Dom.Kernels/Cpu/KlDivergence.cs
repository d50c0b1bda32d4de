using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// The sums cancel where p and q are close, as at the start of an attack: a row is computed in f64. With ten classes it is twenty exponentials beside a
// forward pass of hundreds of millions of operations.
public sealed unsafe partial class CpuBackend : IKernel<KlDivergenceForward>, IKernel<KlDivergenceBackward>
{
    void IKernel<KlDivergenceForward>.Run(in KlDivergenceForward call)
    {
        const string Name = nameof(KlDivergenceForward);
        Divergences(new KlDivergenceJob(
            Floats(call.P, Name), Floats(call.Q, Name), null, Floats(call.Losses, Name), null, null, call.Rows, call.Classes, call.Scale));
    }

    void IKernel<KlDivergenceBackward>.Run(in KlDivergenceBackward call)
    {
        const string Name = nameof(KlDivergenceBackward);
        Divergences(new KlDivergenceJob(
            Floats(call.P, Name), Floats(call.Q, Name), Floats(call.DLosses, Name), null, Floats(call.DP, Name), Floats(call.DQ, Name),
            call.Rows, call.Classes, call.Scale));
    }

    private void Divergences(KlDivergenceJob job) => _workers.Run((job.Rows + job.RowsPerTask - 1) / job.RowsPerTask, job);

    private readonly struct KlDivergenceJob(
        float* p, float* q, float* dlosses, float* losses, float* dp, float* dq, int rows, int classes, float scale) : IJob
    {
        private readonly float* _p = p, _q = q, _dlosses = dlosses, _losses = losses, _dp = dp, _dq = dq;

        public int Rows => rows;

        public int RowsPerTask => Math.Max(1, 512 / classes);

        public void Execute(int task, int worker)
        {
            int end = Math.Min(rows, (task + 1) * RowsPerTask);
            for (int n = task * RowsPerTask; n < end; n++)
                Row(n);
        }

        private void Row(int n)
        {
            long start = (long)n * classes;
            float* p = _p + start, q = _q + start;
            double shiftOfP = LogSum(p), shiftOfQ = LogSum(q), divergence = 0;
            for (int c = 0; c < classes; c++)
            {
                double logP = p[c] - shiftOfP, ofP = Math.Exp(logP);
                divergence += ofP == 0 ? 0 : ofP * (logP - (q[c] - shiftOfQ));
            }
            if (_losses is not null)
                _losses[n] = (float)(scale * divergence);
            if (_dlosses is not null)
                Gradients(start, (double)scale * _dlosses[n], shiftOfP, shiftOfQ, divergence);
        }

        private void Gradients(long start, double weight, double shiftOfP, double shiftOfQ, double divergence)
        {
            for (int c = 0; c < classes; c++)
            {
                double logP = _p[start + c] - shiftOfP, logQ = _q[start + c] - shiftOfQ, ofP = Math.Exp(logP);
                // A row without weight is zero also where it holds a NaN: a removed sample moves nothing.
                if (_dp is not null)
                    _dp[start + c] = weight == 0 || ofP == 0 ? 0 : (float)(weight * ofP * (logP - logQ - divergence));
                if (_dq is not null)
                    _dq[start + c] = weight == 0 ? 0 : (float)(weight * (Math.Exp(logQ) - ofP));
            }
        }

        /// <summary>log sum exp z.</summary>
        private double LogSum(float* z)
        {
            float largest = float.NegativeInfinity;
            for (int c = 0; c < classes; c++)
                largest = MathF.Max(largest, z[c]);
            double sum = 0;
            for (int c = 0; c < classes; c++)
                sum += Math.Exp((double)z[c] - largest);
            return largest + Math.Log(sum);
        }
    }
}
