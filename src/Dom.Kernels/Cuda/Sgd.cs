using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<SgdStep>
{
    private static readonly KernelName s_sgdStep = new("sgd", "sgd_step");

    void IKernel<SgdStep>.Run(in SgdStep call) => Launch(s_sgdStep, call.Parameters.Type, BlocksForPacks(call.Parameters), call);
}
