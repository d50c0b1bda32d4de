using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<KlDivergenceForward>, IKernel<KlDivergenceBackward>
{
    private static readonly KernelName
        s_klDivergence = new("kldivergence", "kl_divergence_forward"), s_klDivergenceBackward = new("kldivergence", "kl_divergence_backward");

    void IKernel<KlDivergenceForward>.Run(in KlDivergenceForward call) =>
        Launch(s_klDivergence, call.P.Type, new Dim3((call.Rows + LossRowsPerBlock - 1) / LossRowsPerBlock), call, threads: LossThreads);

    void IKernel<KlDivergenceBackward>.Run(in KlDivergenceBackward call) =>
        Launch(s_klDivergenceBackward, call.P.Type, new Dim3((call.Rows + LossRowsPerBlock - 1) / LossRowsPerBlock), call, threads: LossThreads);
}
