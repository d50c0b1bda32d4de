using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<GatherRows>, IKernel<ScatterRows>, IKernel<BlendRows>
{
    private static readonly KernelName
        s_gatherRows = new("rows", "gather_rows", ofIntegers: true), s_scatterRows = new("rows", "scatter_rows", ofIntegers: true),
        s_blendRows = new("rows", "blend_rows");

    void IKernel<GatherRows>.Run(in GatherRows call) => Launch(s_gatherRows, call.Y.Type, BlocksForPacks(call.Y), call);

    void IKernel<ScatterRows>.Run(in ScatterRows call) => Launch(s_scatterRows, call.Source.Type, BlocksForPacks(call.Source), call);

    void IKernel<BlendRows>.Run(in BlendRows call) => Launch(s_blendRows, call.Y.Type, BlocksForPacks(call.Y), call);
}
