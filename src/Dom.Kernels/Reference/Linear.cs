using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<AddBias>, IKernel<BiasGradient>
{
    void IKernel<AddBias>.Run(in AddBias call)
    {
        double[] x = Load(call.X), bias = Load(call.Bias);
        for (int i = 0; i < x.Length; i++)
            x[i] += bias[i % call.Columns];
        Store(x, call.Y);
    }

    void IKernel<BiasGradient>.Run(in BiasGradient call)
    {
        double[] dy = Load(call.Dy), dbias = new double[call.Columns];
        for (int i = 0; i < dy.Length; i++)
            dbias[i % call.Columns] += dy[i];
        Store(dbias, call.DBias);
    }
}
