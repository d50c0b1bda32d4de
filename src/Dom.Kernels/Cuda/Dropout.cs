using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<DropoutForward>
{
    private static readonly KernelName s_dropout = new("dropout", "dropout_forward");

    void IKernel<DropoutForward>.Run(in DropoutForward call) => Launch(s_dropout, call.Y.Type, BlocksFor(Quads(call.Rows, call.RowLength)), call);
}
