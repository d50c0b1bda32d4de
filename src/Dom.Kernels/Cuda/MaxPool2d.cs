using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<MaxPool2dForward>, IKernel<MaxPool2dBackward>
{
    private static readonly KernelName
        s_maxPool2d = new("maxpool2d", "max_pool2d_forward"), s_maxPool2dBackward = new("maxpool2d", "max_pool2d_backward");

    void IKernel<MaxPool2dForward>.Run(in MaxPool2dForward call) => Launch(s_maxPool2d, call.Y.Type, BlocksForPacks(call.Y), call);

    void IKernel<MaxPool2dBackward>.Run(in MaxPool2dBackward call) => Launch(s_maxPool2dBackward, call.Dx.Type, BlocksForPacks(call.Dx), call);
}
