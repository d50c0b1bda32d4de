using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<UniformNoise>, IKernel<NormalNoise>
{
    void IKernel<UniformNoise>.Run(in UniformNoise call)
    {
        var ids = LoadIntegers(call.SampleIds);
        var y = new double[call.Y.Length];
        for (int i = 0; i < y.Length; i++)
            y[i] = call.Low + ((double)call.High - call.Low) * call.Stream.ForSample(ids[i / call.RowLength]).Uniform(i % call.RowLength);
        Store(y, call.Y);
    }

    void IKernel<NormalNoise>.Run(in NormalNoise call)
    {
        var ids = LoadIntegers(call.SampleIds);
        var y = new double[call.Y.Length];
        for (int i = 0; i < y.Length; i++)
            y[i] = call.Mean + (double)call.Std * call.Stream.ForSample(ids[i / call.RowLength]).Normal(i % call.RowLength);
        Store(y, call.Y);
    }
}
