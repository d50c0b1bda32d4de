using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;

namespace Dom.Train.Training;

/// <summary>How a network does on a split.</summary>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
/// <param name="Accuracy">Share of right predictions, 0..1.</param>
/// <param name="Samples">Number of samples.</param>
public sealed record EvaluationResult(double Loss, double Accuracy, int Samples);

/// <summary>Measures a network in evaluation mode (running statistics), on clean or on attacked images.</summary>
public static class Evaluation
{
    /// <summary>Random starts of evaluations never coincide with those of training.</summary>
    private const long EvaluationSteps = 1L << 31;

    /// <summary>Loss and accuracy on all samples of a split, in order.</summary>
    /// <param name="network">The network.</param>
    /// <param name="split">The samples.</param>
    /// <param name="attack">The attack on each image, or <see cref="AttackOptions.None"/>.</param>
    /// <param name="seed">Seed of random starts.</param>
    /// <param name="epoch">Epoch, for random starts.</param>
    /// <param name="batch">Samples evaluated at once. Rows do not influence each other in evaluation mode; the size decides on memory and speed.</param>
    /// <param name="precision">Type of the activations, of the attack's too.</param>
    /// <param name="progress">Called with the number of samples done.</param>
    /// <param name="restartDone">Called with the number of restarts done in the batch that is under attack, where the attack has more than one.</param>
    /// <param name="cancel">Stops between batches and between steps of an attack.</param>
    /// <exception cref="OptionException">The backend cannot compute in the precision.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static EvaluationResult Run(
        Network network, DeviceSplit split, AttackOptions attack, ulong seed = 0, int epoch = 0, int batch = 256,
        Precision precision = Precision.F32, Action<int>? progress = null, Action<int>? restartDone = null,
        CancellationToken cancel = default)
    {
        PrecisionSupport.Require(precision, network.Backend);
        var pass = Pass.Evaluate with { Precision = precision };
        double loss = 0;
        int correct = 0;
        using var held = network.HoldParameters();
        using var ledger = Tensor.Persistent(Shape.Of(split.Count, LedgerRow.Count), DType.F32, network.Backend, "evaluation");
        for (int start = 0; start < split.Count; start += batch)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = new TensorScope();
            var rows = Enumerable.Range(start, Math.Min(batch, split.Count - start)).ToArray();
            var samples = split.Gather(rows, Augmentation.None, default);
            var images = Attack.Run(
                network, samples.Pixels, samples.Labels, samples.SampleIds, pass, attack,
                RandomStream.For(seed, RandomPurpose.Attack, epoch, EvaluationSteps), restartDone, cancel);
            SoftmaxCrossEntropy.Step(network.Apply(images, pass), samples.Labels, samples.SampleIds, ledger, wantsGradient: false);
            progress?.Invoke(start + rows.Length);
        }
        var values = ledger.ToFloats();
        for (int row = 0; row < split.Count; row++)
        {
            loss += values[row * LedgerRow.Count + LedgerRow.Loss];
            correct += values[row * LedgerRow.Count + LedgerRow.Correct] == 1 ? 1 : 0;
        }
        return new EvaluationResult(loss / split.Count, (double)correct / split.Count, split.Count);
    }
}
