using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<FabStep>
{
    private static readonly KernelName s_fabStep = new("boundarystep", "fab_step");

    // A block makes a row.
    void IKernel<FabStep>.Run(in FabStep call) => Launch(s_fabStep, call.Y.Type, BlocksFor(call.Rows, 1), call);
}
