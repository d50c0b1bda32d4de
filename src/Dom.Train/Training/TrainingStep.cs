using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;

namespace Dom.Train.Training;

/// <summary>A loss became NaN or infinite.</summary>
public sealed class DivergedException : Exception
{
    /// <summary>An error with a message for the user.</summary>
    public DivergedException(string message) : base(message) { }

    /// <summary>An error with a message for the user and its cause.</summary>
    public DivergedException(string message, Exception inner) : base(message, inner) { }

    /// <summary>An error without a message; exists for serializers only.</summary>
    public DivergedException() { }
}

/// <summary>Where in a run a step is; all counted from 0.</summary>
/// <param name="Epoch">The epoch.</param>
/// <param name="Step">The step in its epoch.</param>
/// <param name="Steps">Steps in an epoch.</param>
public readonly record struct StepPosition(int Epoch, int Step, int Steps)
{
    /// <summary>Steps since the start of the run.</summary>
    public long Global => (long)Epoch * Steps + Step;

    /// <summary>Time for schedules, in (0, E].</summary>
    public double Time => Epoch + (Step + 1.0) / Steps;
}

/// <summary>What a step did.</summary>
/// <param name="Losses">Losses of the images that were trained on, one a sample.</param>
/// <param name="Kept">Samples that counted in the gradient.</param>
public sealed record StepFigures(float[] Losses, int Kept);

/// <summary>
/// One step of natural or adversarial training with the ledger and DOM: natural pass, decision, attack, training pass, backward, optimizer.
/// In natural training all of it is one forward and one backward pass: the loss kernel writes the ledger row, decides and scales the gradient.
/// </summary>
public sealed class TrainingStep(Network network, Tensor momentum, TrainOptions options, Tensor naturalLedger, Tensor? adversarialLedger)
{
    private readonly Tensor[] _parameters = network.ParameterTensors;
    private readonly Optimizers.Schedule _schedule = new(options.Schedule, options.LearningRate, options.Epochs);

    /// <summary>Runs the step on a batch. The parameters do not change if a loss is not finite.</summary>
    /// <exception cref="DivergedException">A loss is NaN or infinite.</exception>
    public StepFigures Run(Batch batch, StepPosition position)
    {
        using var scope = new TensorScope();
        var figures = options.Attack == AttackKind.None ? Natural(batch, position) : Adversarial(batch, position);
        if (!figures.Losses.All(float.IsFinite))
            throw new DivergedException(
                $"the loss became {figures.Losses.First(l => !float.IsFinite(l))} in epoch {position.Epoch + 1}, step {position.Step + 1}.");
        Sgd.Step(network.Arena, network.GradientArena, momentum,
            (float)_schedule.At(position.Time), (float)options.Momentum, (float)options.WeightDecay);
        return figures;
    }

    private StepFigures Natural(Batch batch, StepPosition position)
    {
        using var tape = new Tape(_parameters);
        var logits = network.Apply(batch.Pixels, PassAt(BatchNormMode.UpdateStatistics, batch, position));
        var policy = options.Policy;
        bool active = policy.IsActive(position.Epoch, position.Step, position.Steps);
        var loss = SoftmaxCrossEntropy.Step(
            logits, batch.Labels, batch.SampleIds, naturalLedger,
            comparison: active ? policy.Comparison : LossComparison.KeepAll, threshold: policy.Threshold, divisor: Divisor(policy, active));
        tape.Gradient(logits, loss.DLogits!, network.GradientSlots);
        return Figures(loss);
    }

    private StepFigures Adversarial(Batch batch, StepPosition position)
    {
        var policy = options.Policy;
        bool active = policy.IsActive(position.Epoch, position.Step, position.Steps);
        // In the authors' code the evaluation at the end of an epoch leaves the network in eval mode, and train() is only called before the
        // training pass: the first batch of every later epoch sees running statistics until then.
        bool leftInEvalMode = policy.Mode == DomMode.Code && options.BatchNormInAttack == BatchNormMode.UpdateStatistics
            && position is { Epoch: > 0, Step: 0 };
        var pass = PassAt(leftInEvalMode ? BatchNormMode.RunningStatistics : options.BatchNormInAttack, batch, position);

        LossStep natural;
        using (var forward = new TensorScope())
        {
            natural = SoftmaxCrossEntropy.Step(
                network.Apply(batch.Pixels, pass), batch.Labels, batch.SampleIds, naturalLedger, wantsGradient: false,
                comparison: active ? policy.Comparison : LossComparison.KeepAll, threshold: policy.Threshold);
            if (natural.Keep is not null)
                forward.Keep(natural.Keep);
        }
        var adversarial = Attack.Run(
            network, batch.Pixels, batch.Labels, batch.SampleIds, pass, options.TrainAttack,
            RandomStream.For(options.Seed, RandomPurpose.Attack, position.Epoch, position.Global));

        using var tape = new Tape(_parameters);
        var logits = network.Apply(adversarial, PassAt(BatchNormMode.UpdateStatistics, batch, position));
        var loss = SoftmaxCrossEntropy.Step(
            logits, batch.Labels, batch.SampleIds, adversarialLedger, weights: natural.Keep, divisor: Divisor(policy, active));
        tape.Gradient(logits, loss.DLogits!, network.GradientSlots);
        return Figures(loss with { Keep = natural.Keep });
    }

    private static float? Divisor(DomPolicy policy, bool active) => active && policy.ReNorm == ReNorm.Kept ? 0 : null;

    private Pass PassAt(BatchNormMode mode, Batch batch, StepPosition position) => new(mode, options.Precision)
    {
        Dropout = (RandomStream.For(options.Seed, RandomPurpose.Dropout, position.Epoch, position.Global), batch.SampleIds),
    };

    /// <summary>
    /// Brings losses and mask to the host in one copy: it waits until the device has done all that was asked of it, and should wait once a step.
    /// </summary>
    private static StepFigures Figures(LossStep loss)
    {
        int count = loss.Losses.Count;
        if (loss.Keep is null)
            return new StepFigures(loss.Losses.ToFloats(), count);
        int second = (count + 15) / 16 * 16; // on a boundary of 64 bytes, like any tensor of its own
        var both = Tensor.Empty(Shape.Of(second + count), DType.F32, loss.Losses.Backend, "step figures");
        both.Backend.Run(new Copy(loss.Losses.Read, both.Rows(0, count).Write));
        both.Backend.Run(new Copy(loss.Keep.Read, both.Rows(second, count).Write));
        float[] values = both.ToFloats();
        return new StepFigures(values[..count], values.Skip(second).Count(k => k != 0));
    }
}
