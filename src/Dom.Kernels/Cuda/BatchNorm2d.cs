using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend :
    IKernel<BatchNorm2dTrain>, IKernel<BatchNorm2dInfer>, IKernel<BatchNorm2dTrainBackward>, IKernel<BatchNorm2dInferBackward>
{
    private static readonly ChannelKernel
        s_statistics = new("batchnorm2d", "batchnorm2d_statistics"), s_normalizeByBatch = new("batchnorm2d", "batchnorm2d_normalize"),
        s_inferNorm = new("batchnorm2d", "batchnorm2d_infer"),
        s_trainParameterGradients = new("batchnorm2d", "batchnorm2d_train_parameter_gradients"),
        s_trainInputGradient = new("batchnorm2d", "batchnorm2d_train_input_gradient"),
        s_inferParameterGradients = new("batchnorm2d", "batchnorm2d_infer_parameter_gradients"),
        s_inferInputGradient = new("batchnorm2d", "batchnorm2d_infer_input_gradient");

    void IKernel<BatchNorm2dTrain>.Run(in BatchNorm2dTrain call)
    {
        // Both kernels cut the rows alike: the second walks every run back from where the first ended.
        var launch = ShareChannels(call.X.Type, call.Rows, call.Channels, OneOperandThreads, sums: true,
            call.X, call.Gamma, call.Beta, call.Y, call.Mean, call.InverseStd);
        Launch(s_statistics, call.X.Type, launch, call);
        Launch(s_normalizeByBatch, call.X.Type, launch, call);
    }

    void IKernel<BatchNorm2dInfer>.Run(in BatchNorm2dInfer call) => Launch(
        s_inferNorm, call.X.Type,
        ShareChannels(call.X.Type, call.Rows, call.Channels, OneOperandThreads, sums: false, call.X, call.Gamma, call.Beta, call.Mean, call.Variance, call.Y), call);

    void IKernel<BatchNorm2dTrainBackward>.Run(in BatchNorm2dTrainBackward call)
    {
        var launch = ShareChannels(call.X.Type, call.Rows, call.Channels, TwoOperandThreads, sums: true,
            call.X, call.Dy, call.Gamma, call.Beta, call.Mean, call.InverseStd, call.Dx, call.DGamma, call.DBeta);
        Launch(s_trainParameterGradients, call.X.Type, launch, call);
        if (!call.Dx.IsNone)
            Launch(s_trainInputGradient, call.X.Type, launch, call);
    }

    void IKernel<BatchNorm2dInferBackward>.Run(in BatchNorm2dInferBackward call)
    {
        bool wantsParameters = !call.DGamma.IsNone;
        var launch = ShareChannels(call.X.Type, call.Rows, call.Channels, TwoOperandThreads, wantsParameters,
            call.X, call.Dy, call.Gamma, call.Beta, call.Mean, call.Variance, call.Dx);
        if (wantsParameters)
            Launch(s_inferParameterGradients, call.X.Type, launch, call);
        if (!call.Dx.IsNone)
            Launch(s_inferInputGradient, call.X.Type, launch, call);
    }
}
