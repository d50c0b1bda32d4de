using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<ApgdSignStep>
{
    private static readonly KernelName s_apgdSignStep = new("apgdstep", "apgd_sign_step");

    void IKernel<ApgdSignStep>.Run(in ApgdSignStep call) => Launch(s_apgdSignStep, call.Y.Type, BlocksForPacks(call.Y), call);
}
