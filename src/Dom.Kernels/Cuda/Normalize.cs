using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<NormalizeForward>, IKernel<NormalizeBackward>
{
    // A multiple of 3: see kernels/normalize.cu.
    private const int NormalizeThreads = 192;

    private static readonly KernelName
        s_normalize = new("normalize", "normalize_forward"), s_normalizeBackward = new("normalize", "normalize_backward");

    void IKernel<NormalizeForward>.Run(in NormalizeForward call) =>
        Launch(s_normalize, call.Y.Type, BlocksFor((call.Y.Bytes + 15) / 16, NormalizeThreads), call, threads: NormalizeThreads);

    void IKernel<NormalizeBackward>.Run(in NormalizeBackward call) =>
        Launch(s_normalizeBackward, call.Dx.Type, BlocksFor((call.Dx.Bytes + 15) / 16, NormalizeThreads), call, threads: NormalizeThreads);
}
