using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<AddBias>, IKernel<BiasGradient>
{
    private static readonly KernelName
        s_addBias = new("linear", "add_bias"), s_biasGradient = new("linear", "bias_gradient");

    void IKernel<AddBias>.Run(in AddBias call) => Launch(s_addBias, call.Y.Type, BlocksForPacks(call.Y), call);

    // A block sums 32 columns.
    void IKernel<BiasGradient>.Run(in BiasGradient call) => Launch(s_biasGradient, call.Dy.Type, BlocksFor(call.Columns, 32), call);
}
