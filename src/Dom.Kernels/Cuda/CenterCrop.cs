using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<CenterCropForward>, IKernel<CenterCropBackward>
{
    private static readonly KernelName
        s_centerCrop = new("centercrop", "center_crop_forward"), s_centerCropBackward = new("centercrop", "center_crop_backward");

    // A warp copies a line.
    void IKernel<CenterCropForward>.Run(in CenterCropForward call) =>
        Launch(s_centerCrop, call.Y.Type, BlocksFor(32L * call.Batch * (call.Height - 2 * call.Margin)), call);

    void IKernel<CenterCropBackward>.Run(in CenterCropBackward call) =>
        Launch(s_centerCropBackward, call.Dx.Type, BlocksFor(32L * call.Batch * call.Height), call);
}
