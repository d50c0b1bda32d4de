using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<KlDivergenceForward>, IKernel<KlDivergenceBackward>
{
    void IKernel<KlDivergenceForward>.Run(in KlDivergenceForward call)
    {
        double[] p = Load(call.P), q = Load(call.Q), losses = new double[call.Rows];
        for (int n = 0; n < call.Rows; n++)
            losses[n] = call.Scale * Divergence(LogSoftmax(p, n, call.Classes), LogSoftmax(q, n, call.Classes));
        Store(losses, call.Losses);
    }

    void IKernel<KlDivergenceBackward>.Run(in KlDivergenceBackward call)
    {
        double[] p = Load(call.P), q = Load(call.Q), dlosses = Load(call.DLosses), dp = new double[p.Length], dq = new double[p.Length];
        for (int n = 0; n < call.Rows; n++)
        {
            double[] logP = LogSoftmax(p, n, call.Classes), logQ = LogSoftmax(q, n, call.Classes);
            double divergence = Divergence(logP, logQ), weight = call.Scale * dlosses[n];
            for (int c = 0; c < call.Classes && weight != 0; c++)
            {
                int i = n * call.Classes + c;
                double ofP = Math.Exp(logP[c]);
                dp[i] = ofP == 0 ? 0 : weight * ofP * (logP[c] - logQ[c] - divergence);
                dq[i] = weight * (Math.Exp(logQ[c]) - ofP);
            }
        }
        Store(dp, call.DP);
        Store(dq, call.DQ);
    }

    private static double[] LogSoftmax(double[] logits, int row, int classes)
    {
        var z = logits.AsSpan(row * classes, classes);
        double largest = double.NegativeInfinity, sum = 0;
        foreach (double logit in z)
            largest = Math.Max(largest, logit);
        foreach (double logit in z)
            sum += Math.Exp(logit - largest);
        var result = new double[classes];
        for (int c = 0; c < classes; c++)
            result[c] = z[c] - largest - Math.Log(sum);
        return result;
    }

    private static double Divergence(double[] logP, double[] logQ)
    {
        double sum = 0;
        for (int c = 0; c < logP.Length; c++)
        {
            double p = Math.Exp(logP[c]);
            sum += p == 0 ? 0 : p * (logP[c] - logQ[c]);
        }
        return sum;
    }
}
