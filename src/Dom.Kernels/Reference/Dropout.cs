using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<DropoutForward>
{
    void IKernel<DropoutForward>.Run(in DropoutForward call)
    {
        var ids = LoadIntegers(call.SampleIds);
        var x = Load(call.X);
        for (int i = 0; i < x.Length; i++)
            x[i] = call.Stream.ForSample(ids[i / call.RowLength]).Uniform(i % call.RowLength) >= call.Rate ? x[i] / (1 - (double)call.Rate) : 0;
        Store(x, call.Y);
    }
}
