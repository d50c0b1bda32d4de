using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<SignStep>, IKernel<L2Step>
{
    private static readonly KernelName
        s_signStep = new("perturb", "sign_step"), s_l2Step = new("perturb", "l2_step");

    void IKernel<SignStep>.Run(in SignStep call) => Launch(s_signStep, call.Y.Type, BlocksForPacks(call.Y), call);

    // A block makes a row.
    void IKernel<L2Step>.Run(in L2Step call) => Launch(s_l2Step, call.Y.Type, BlocksFor(call.Rows, 1), call);
}
