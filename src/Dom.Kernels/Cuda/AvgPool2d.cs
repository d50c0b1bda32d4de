using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<AvgPool2dForward>, IKernel<AvgPool2dBackward>
{
    private static readonly KernelName
        s_avgPool2d = new("avgpool2d", "avg_pool2d_forward"), s_avgPool2dBackward = new("avgpool2d", "avg_pool2d_backward");

    void IKernel<AvgPool2dForward>.Run(in AvgPool2dForward call) => Launch(s_avgPool2d, call.Y.Type, BlocksForPacks(call.Y), call);

    void IKernel<AvgPool2dBackward>.Run(in AvgPool2dBackward call) => Launch(s_avgPool2dBackward, call.Dx.Type, BlocksForPacks(call.Dx), call);
}
