using Dom.Tensors;

namespace Dom.Nn;

/// <summary>Which statistics batch normalization uses, and whether it learns from this batch.</summary>
public enum BatchNormMode
{
    /// <summary>The batch's statistics; the running ones are updated. PyTorch's train mode.</summary>
    UpdateStatistics,

    /// <summary>The batch's statistics; the running ones stay as they are. For attacks that must not leave a trace.</summary>
    BatchStatisticsOnly,

    /// <summary>The running statistics. PyTorch's eval mode.</summary>
    RunningStatistics,
}

/// <summary>In which type activations are stored. Parameters, statistics, losses and the optimizer stay in f32.</summary>
public enum Precision
{
    /// <summary>f32 throughout.</summary>
    F32,

    /// <summary>bf16 activations and a bf16 copy of the weights; accumulation and weight gradients in f32.</summary>
    BF16,
}

/// <summary>
/// How a network is to be applied: an argument of every forward pass, never a flag on a module, so an attack cannot leave a network in the wrong mode.
/// </summary>
/// <param name="BatchNorm">What batch normalization does.</param>
/// <param name="Precision">Type of the activations. The input and the logits are f32 in any case, and so are the gradients of the input and the parameters.</param>
public sealed record Pass(BatchNormMode BatchNorm, Precision Precision = Precision.F32)
{
    /// <summary>Training: batch statistics that update the running ones.</summary>
    public static Pass Train { get; } = new(BatchNormMode.UpdateStatistics);

    /// <summary>Evaluation: running statistics, no dropout.</summary>
    public static Pass Evaluate { get; } = new(BatchNormMode.RunningStatistics);

    /// <summary>Where dropout masks come from, and the ids [N] of the samples in the batch; null switches dropout off.</summary>
    public (RandomStream Stream, Tensor SampleIds)? Dropout { get; init; }
}
