using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<GlobalAveragePoolForward>, IKernel<GlobalAveragePoolBackward>
{
    void IKernel<GlobalAveragePoolForward>.Run(in GlobalAveragePoolForward call)
    {
        double[] x = Load(call.X), y = new double[call.Y.Length];
        for (int i = 0; i < x.Length; i++)
            y[i / (call.Pixels * call.Channels) * call.Channels + i % call.Channels] += x[i] / call.Pixels;
        Store(y, call.Y);
    }

    void IKernel<GlobalAveragePoolBackward>.Run(in GlobalAveragePoolBackward call)
    {
        double[] dy = Load(call.Dy), dx = new double[call.Dx.Length];
        for (int i = 0; i < dx.Length; i++)
            dx[i] = dy[i / (call.Pixels * call.Channels) * call.Channels + i % call.Channels] / call.Pixels;
        Store(dx, call.Dx);
    }
}
