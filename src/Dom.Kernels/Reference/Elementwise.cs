using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend :
    IKernel<Fill>, IKernel<Copy>, IKernel<AddForward>, IKernel<Accumulate>, IKernel<ReluForward>, IKernel<ReluBackward>
{
    void IKernel<Fill>.Run(in Fill call)
    {
        var y = new double[call.Y.Length];
        Array.Fill(y, call.Value);
        Store(y, call.Y);
    }

    void IKernel<Copy>.Run(in Copy call) => Store(Load(call.X), call.Y);

    void IKernel<AddForward>.Run(in AddForward call)
    {
        double[] a = Load(call.A), b = Load(call.B);
        for (int i = 0; i < a.Length; i++)
            a[i] += b[i];
        Store(a, call.Y);
    }

    void IKernel<Accumulate>.Run(in Accumulate call)
    {
        double[] x = Load(call.X), y = Load(call.Y);
        for (int i = 0; i < y.Length; i++)
            y[i] += x[i];
        Store(y, call.Y);
    }

    void IKernel<ReluForward>.Run(in ReluForward call)
    {
        var x = Load(call.X);
        for (int i = 0; i < x.Length; i++)
            x[i] = x[i] < 0 ? 0 : x[i];
        Store(x, call.Y);
    }

    void IKernel<ReluBackward>.Run(in ReluBackward call)
    {
        double[] y = Load(call.Y), dy = Load(call.Dy);
        for (int i = 0; i < y.Length; i++)
            dy[i] = y[i] > 0 ? dy[i] : 0;
        Store(dy, call.Dx);
    }
}
