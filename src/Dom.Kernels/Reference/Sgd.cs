using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<SgdStep>
{
    void IKernel<SgdStep>.Run(in SgdStep call)
    {
        if (Array.Exists(Load(call.Health), health => health != 0) || !Array.TrueForAll(Load(call.Losses), double.IsFinite))
        {
            Store(Array.ConvertAll(Load(call.Health), _ => 1.0), call.Health);
            return;
        }
        double[] p = Load(call.Parameters), g = Load(call.Gradients), m = Load(call.Momentum);
        for (int i = 0; i < p.Length; i++)
        {
            double gradient = g[i] + call.WeightDecay * p[i], step = gradient;
            if (!call.Momentum.IsNone)
            {
                m[i] = call.MomentumFactor * m[i] + gradient;
                step = call.Nesterov == 1 ? gradient + call.MomentumFactor * m[i] : m[i];
            }
            p[i] -= call.LearningRate * step;
        }
        Store(p, call.Parameters);
        Store(m, call.Momentum);
    }
}
