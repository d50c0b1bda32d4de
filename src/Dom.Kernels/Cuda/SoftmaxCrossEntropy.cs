using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

// One kernel serves the three calls: the loss alone, the gradient alone (its weights are dlosses) and the fused step.
public sealed partial class CudaBackend :
    IKernel<SoftmaxCrossEntropyForward>, IKernel<SoftmaxCrossEntropyBackward>, IKernel<SoftmaxCrossEntropyStep>
{
    /// <summary>One warp a row.</summary>
    private const int LossThreads = 128, LossRowsPerBlock = LossThreads / 32;

    private static readonly KernelName
        s_lossStep = new("softmaxcrossentropy", "softmax_cross_entropy_step"),
        s_lossGradientOverKept = new("softmaxcrossentropy", "softmax_cross_entropy_gradient_over_kept");

    void IKernel<SoftmaxCrossEntropyForward>.Run(in SoftmaxCrossEntropyForward call) => CrossEntropy(new SoftmaxCrossEntropyStep(
        call.Logits, call.Labels, View.None, View.None, call.Losses, View.None, View.None, View.None,
        call.Rows, call.Classes, 0, (int)LossComparison.KeepAll, 1));

    void IKernel<SoftmaxCrossEntropyBackward>.Run(in SoftmaxCrossEntropyBackward call) => CrossEntropy(new SoftmaxCrossEntropyStep(
        call.Logits, call.Labels, View.None, call.DLosses, View.None, View.None, call.DLogits, View.None,
        call.Rows, call.Classes, 0, (int)LossComparison.KeepAll, 1));

    void IKernel<SoftmaxCrossEntropyStep>.Run(in SoftmaxCrossEntropyStep call) => CrossEntropy(call);

    private void CrossEntropy(in SoftmaxCrossEntropyStep call)
    {
        var grid = new Dim3((call.Rows + LossRowsPerBlock - 1) / LossRowsPerBlock);
        Launch(s_lossStep, call.Logits.Type, grid, call, threads: LossThreads);
        if (call.Divisor == 0 && !call.DLogits.IsNone)
            Launch(s_lossGradientOverKept, call.Logits.Type, grid, call, threads: LossThreads);
    }
}
