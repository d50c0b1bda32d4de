using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<LossThreshold>
{
    private static readonly KernelName s_lossThreshold = new("lossthreshold", "loss_threshold");

    // One block: all need the threshold, and a batch has some hundred losses. They are f32 whatever the activations are.
    void IKernel<LossThreshold>.Run(in LossThreshold call) => Launch(s_lossThreshold, DType.F32, new Dim3(1), call);
}
