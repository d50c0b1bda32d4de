using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<Cast>
{
    void IKernel<Cast>.Run(in Cast call) => Store(Load(call.X), call.Y);
}
