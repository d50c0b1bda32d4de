using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<Gemm>
{
    void IKernel<Gemm>.Run(in Gemm call)
    {
        double[] a = Load(call.A), b = Load(call.B), c = new double[call.C.Length];
        for (int m = 0; m < call.M; m++)
            for (int n = 0; n < call.N; n++)
                for (int k = 0; k < call.K; k++)
                    c[m * call.N + n] += a[call.TransposeA == 1 ? k * call.M + m : m * call.K + k]
                                       * b[call.TransposeB == 1 ? n * call.K + k : k * call.N + n];
        Store(c, call.C);
    }
}
