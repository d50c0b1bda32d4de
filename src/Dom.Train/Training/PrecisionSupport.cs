using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Train.Training;

/// <summary>Whether a device can compute in a <see cref="Precision"/>: asked once, before a run begins, instead of at the first kernel that is missing.</summary>
public static class PrecisionSupport
{
    // What networks do with activations, forward and backward. Pixels, statistics, losses and the optimizer are f32 in any case.
    private static readonly Type[] s_calls =
    [
        typeof(Cast),
        typeof(Conv2dForward), typeof(Conv2dInputGradient), typeof(Conv2dWeightGradient),
        typeof(BatchNorm2dTrain), typeof(BatchNorm2dTrainBackward), typeof(BatchNorm2dInfer), typeof(BatchNorm2dInferBackward),
        typeof(ReluForward), typeof(ReluBackward), typeof(AddForward), typeof(Accumulate),
        typeof(GlobalAveragePoolForward), typeof(GlobalAveragePoolBackward), typeof(MaxPool2dForward), typeof(MaxPool2dBackward),
        typeof(CenterCropForward), typeof(CenterCropBackward), typeof(Gemm), typeof(AddBias), typeof(BiasGradient),
    ];

    /// <summary>
    /// The first call of a pass, forward or backward, for which the backend has no kernel of this precision; null where it has them all, and for f32, in
    /// which every backend computes.
    /// </summary>
    public static Type? MissingKernel(Precision precision, IBackend backend)
    {
        ArgumentNullException.ThrowIfNull(backend);
        return precision == Precision.F32 ? null : Array.Find(s_calls, call => !backend.Supports(call, DType.BF16));
    }

    /// <summary>Refuses a precision that the backend cannot compute in.</summary>
    /// <exception cref="OptionException">A kernel is missing.</exception>
    public static void Require(Precision precision, IBackend backend)
    {
        if (MissingKernel(precision, backend) is { } call)
        {
            throw new OptionException(
                $"--precision bf16: the {backend.Name} device computes in f32 only (it has no bf16 kernel for {call.Name}); "
                + "use --device cuda:0 or reference, or --precision f32.");
        }
    }
}
