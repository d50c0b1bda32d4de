using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend :
    IKernel<Fill>, IKernel<Copy>, IKernel<AddForward>, IKernel<Accumulate>, IKernel<ReluForward>, IKernel<ReluBackward>
{
    private static readonly KernelName
        s_fill = new("elementwise", "fill"), s_copy = new("elementwise", "copy"),
        s_add = new("elementwise", "add_forward"), s_accumulate = new("elementwise", "accumulate"),
        s_relu = new("elementwise", "relu_forward"), s_reluBackward = new("elementwise", "relu_backward");

    void IKernel<Fill>.Run(in Fill call) => Launch(s_fill, call.Y.Type, BlocksForPacks(call.Y), call);

    void IKernel<Copy>.Run(in Copy call) => Launch(s_copy, call.Y.Type, BlocksForPacks(call.Y), call);

    void IKernel<AddForward>.Run(in AddForward call) => Launch(s_add, call.Y.Type, BlocksForPacks(call.Y), call);

    void IKernel<Accumulate>.Run(in Accumulate call) => Launch(s_accumulate, call.Y.Type, BlocksForPacks(call.Y), call);

    void IKernel<ReluForward>.Run(in ReluForward call) => Launch(s_relu, call.Y.Type, BlocksForPacks(call.Y), call);

    void IKernel<ReluBackward>.Run(in ReluBackward call) => Launch(s_reluBackward, call.Dx.Type, BlocksForPacks(call.Dx), call);
}
