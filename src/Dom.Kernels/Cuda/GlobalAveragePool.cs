using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<GlobalAveragePoolForward>, IKernel<GlobalAveragePoolBackward>
{
    private static readonly KernelName
        s_globalAveragePool = new("globalaveragepool", "global_average_pool_forward"),
        s_globalAveragePoolBackward = new("globalaveragepool", "global_average_pool_backward");

    void IKernel<GlobalAveragePoolForward>.Run(in GlobalAveragePoolForward call) =>
        Launch(s_globalAveragePool, call.Y.Type, BlocksFor(call.Batch * Strips(call), 1), call);

    void IKernel<GlobalAveragePoolBackward>.Run(in GlobalAveragePoolBackward call) =>
        Launch(s_globalAveragePoolBackward, call.Dx.Type, BlocksForPacks(call.Dx), call);

    // A block sums 32 x 16 bytes of channels of one image.
    private static long Strips(in GlobalAveragePoolForward call) => ((long)call.Channels * call.X.Type.Size() + 511) / 512;
}
