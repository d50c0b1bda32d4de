using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<GatherRows>, IKernel<ScatterRows>, IKernel<BlendRows>
{
    void IKernel<GatherRows>.Run(in GatherRows call)
    {
        double[] source = Load(call.Source), y = new double[call.Y.Length];
        int[] rows = LoadIntegers(call.Rows);
        for (int n = 0; n < call.RowCount; n++)
            Array.Copy(source, (long)rows[n] * call.RowLength, y, (long)n * call.RowLength, call.RowLength);
        Store(y, call.Y);
    }

    void IKernel<ScatterRows>.Run(in ScatterRows call)
    {
        double[] source = Load(call.Source), target = Load(call.Target);
        int[] rows = LoadIntegers(call.Rows);
        for (int n = 0; n < call.RowCount; n++)
            Array.Copy(source, (long)n * call.RowLength, target, (long)rows[n] * call.RowLength, call.RowLength);
        Store(target, call.Target);
    }

    void IKernel<BlendRows>.Run(in BlendRows call)
    {
        double[] a = Load(call.A), b = Load(call.B), weights = Load(call.Weights);
        for (int i = 0; i < a.Length; i++)
        {
            double w = weights[i / call.RowLength];
            a[i] = w == 0 ? a[i] : w == 1 ? b[i] : (1 - w) * a[i] + w * b[i];
        }
        Store(a, call.Y);
    }
}
