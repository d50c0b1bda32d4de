using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<NormalizeForward>, IKernel<NormalizeBackward>
{
    void IKernel<NormalizeForward>.Run(in NormalizeForward call)
    {
        double[] x = Load(call.X), mean = Load(call.Mean), std = Load(call.Std);
        for (int i = 0; i < x.Length; i++)
            x[i] = (x[i] - mean[i % call.Channels]) / std[i % call.Channels];
        Store(x, call.Y);
    }

    void IKernel<NormalizeBackward>.Run(in NormalizeBackward call)
    {
        double[] dy = Load(call.Dy), std = Load(call.Std);
        for (int i = 0; i < dy.Length; i++)
            dy[i] /= std[i % call.Channels];
        Store(dy, call.Dx);
    }
}
