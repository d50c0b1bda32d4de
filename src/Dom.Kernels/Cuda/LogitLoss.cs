using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<LogitLossStep>
{
    private static readonly KernelName s_logitLoss = new("logitloss", "logit_loss");

    // One warp a row, as in the cross-entropy.
    void IKernel<LogitLossStep>.Run(in LogitLossStep call) =>
        Launch(s_logitLoss, call.Logits.Type, new Dim3((call.Rows + LossRowsPerBlock - 1) / LossRowsPerBlock), call, threads: LossThreads);
}
