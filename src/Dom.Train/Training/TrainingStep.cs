using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Augmentations;
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
/// <param name="Selected">Samples whose natural loss was small while DOM acted: removed or augmented.</param>
/// <param name="Accepted">Of those, samples of which an augmented image had a loss that is large enough.</param>
/// <param name="Tries">Augmented images that DOM drew.</param>
public sealed record StepFigures(float[] Losses, int Kept, int Selected = 0, int Accepted = 0, int Tries = 0);

/// <summary>
/// One step of natural or adversarial training with the ledger and DOM: natural pass, decision, augmentation, attack, training pass, backward, optimizer.
/// In natural training without augmentation all of it is one forward and one backward pass: the loss kernel writes the ledger row, decides and scales the gradient.
/// </summary>
/// <remarks>
/// The host need not wait for a step before it asks for the next: the optimizer itself refuses losses that are not finite, there and in every step behind, until
/// <see cref="Recover"/> is called.
/// </remarks>
public sealed class TrainingStep : IDisposable
{
    private readonly Network _network;
    private readonly TrainOptions _options;
    private DomPolicy _policy;
    private readonly Tensor _momentum, _naturalLedger, _health;
    private readonly Tensor? _adversarialLedger;
    private readonly DomAugmentation? _domAugmentation;
    private readonly Tensor[] _parameters;
    private readonly Optimizers.Schedule _schedule;

    /// <summary>A step of a network.</summary>
    /// <param name="network">The network in training.</param>
    /// <param name="momentum">Of the shape of its arena.</param>
    /// <param name="options">Options of the run.</param>
    /// <param name="naturalLedger">[samples, 6]; takes the losses of the images as they come in the batch, before DOM augments them.</param>
    /// <param name="adversarialLedger">The same for the attacked images; null in natural training.</param>
    /// <param name="domAugmentation">What DOM_DA augments with; null for what the options say.</param>
    public TrainingStep(
        Network network, Tensor momentum, TrainOptions options, Tensor naturalLedger, Tensor? adversarialLedger, IImageAugmentation? domAugmentation = null)
    {
        (_network, _momentum, _options, _naturalLedger, _adversarialLedger) = (network, momentum, options, naturalLedger, adversarialLedger);
        _policy = options.Policy;
        _parameters = network.ParameterTensors;
        _schedule = new(options.Schedule, options.LearningRate, options.Epochs);
        if (_policy.Action == DomAction.Augment)
        {
            _domAugmentation = new DomAugmentation(
                network, _policy, domAugmentation ?? ImageAugmentations.Create(options.EffectiveDomAugmentation), options.AugmentationDraw);
        }
        _health = Tensor.Persistent(Shape.Of(1), DType.F32, network.Backend, "health");
        Recover();
    }

    /// <summary>The network of epoch K; needed where DOM_RE removes a part of the confident samples only.</summary>
    internal AuxiliaryModel? Auxiliary { get; init; }

    /// <summary>DOM from the next step on: off may become remove.</summary>
    internal void Follow(DomPolicy policy) => _policy = policy;

    /// <summary>Lets the optimizer move the parameters again after a loss was not finite: when a run goes on from a sound state.</summary>
    public void Recover() => _health.CopyFrom([0f]);

    /// <summary>
    /// Queues the step on a batch, the optimizer included; where the device works at once, it is done. The parameters do not change if a loss is not finite, nor in
    /// any step that is queued behind it.
    /// </summary>
    /// <returns>The figures, and whether a loss was not finite, for whoever reads them.</returns>
    public PendingFigures Run(Batch batch, StepPosition position)
    {
        using var scope = new TensorScope();
        using var together = _network.Backend.QueueTogether();
        // In code mode DOM begins with the last step of epoch K; the network of the end of that epoch is not there yet.
        bool active = _policy.IsActive(position.Epoch, position.Step, position.Steps) && (_policy.RemoveSet == RemoveSet.All || position.Epoch >= _policy.Warmup);
        bool augments = active && _policy.Action == DomAction.Augment;
        var outcome = _options.Loss != LossKind.Trades && _options.Attack == AttackKind.None && !augments
            ? InOnePass(batch, position, active)
            : InSeveralPasses(batch, position, active, augments);
        var figures = BeginFigures(outcome, position);
        try
        {
            Sgd.Step(_network.Arena, _network.GradientArena, _momentum,
                (float)_schedule.At(position.Time), (float)_options.Momentum, (float)_options.WeightDecay, losses: outcome.Losses, health: _health);
            together?.Dispose(); // here, for it may fail
            return figures;
        }
        catch
        {
            figures.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _health.Dispose();

    /// <summary>Natural training in which DOM is off or removes.</summary>
    private Outcome InOnePass(Batch batch, StepPosition position, bool active)
    {
        using var tape = new Tape(_parameters);
        var logits = _network.Apply(batch.Pixels, PassAt(BatchNormMode.UpdateStatistics, batch.SampleIds, position));
        LossStep loss;
        if (active && (_policy.ThresholdKind != ThresholdKind.Fixed || _policy.RemoveSet != RemoveSet.All))
        {
            // The decision needs all losses before the first gradient: the loss kernel runs twice, the network once.
            var natural = NaturalLosses(logits, batch, active);
            loss = SoftmaxCrossEntropy.Step(logits, batch.Labels, null, null, weights: natural.Keep, divisor: Divisor(active)) with { Keep = natural.Keep };
        }
        else
        {
            loss = SoftmaxCrossEntropy.Step(
                logits, batch.Labels, batch.SampleIds, _naturalLedger,
                comparison: active ? _policy.LeavesAlone : LossComparison.KeepAll, threshold: _policy.Threshold, divisor: Divisor(active));
        }
        tape.Gradient(logits, loss.DLogits!, _network.GradientSlots);
        return new Outcome(loss.Losses, loss.Keep);
    }

    /// <summary>All passes of a step see the same parameters.</summary>
    private Outcome InSeveralPasses(Batch batch, StepPosition position, bool active, bool augments)
    {
        using var held = _network.HoldParameters();
        return _options.Loss == LossKind.Trades ? Trades(batch, position, active, augments) : InTwoPasses(batch, position, active, augments);
    }

    /// <summary>A natural pass that decides, then the pass that is trained on.</summary>
    private Outcome InTwoPasses(Batch batch, StepPosition position, bool active, bool augments)
    {
        var natural = NaturalPass(batch, position, active);
        var (pixels, selected, accepted, tries) = augments ? Augment(batch, natural, position) : (batch.Pixels, 0, 0, 0);
        var images = Attack.Run(
            _network, pixels, batch.Labels, batch.SampleIds, LookingPass(batch.SampleIds, position), _options.TrainAttackAt(position),
            RandomStream.For(_options.Seed, RandomPurpose.Attack, position.Epoch, position.Global));
        var keep = augments ? null : natural.Keep;

        using var tape = new Tape(_parameters);
        var logits = _network.Apply(images, PassAt(BatchNormMode.UpdateStatistics, batch.SampleIds, position));
        var loss = SoftmaxCrossEntropy.Step(
            logits, batch.Labels, batch.SampleIds, _options.Attack == AttackKind.None ? null : _adversarialLedger,
            weights: keep, divisor: Divisor(active && !augments));
        tape.Gradient(logits, loss.DLogits!, _network.GradientSlots);
        return new Outcome(loss.Losses, keep, selected, accepted, tries);
    }

    /// <summary>TRADES: clean and attacked images are trained on together; the clean pass decides, unless DOM augments what it sees.</summary>
    private Outcome Trades(Batch batch, StepPosition position, bool active, bool augments)
    {
        var natural = augments ? NaturalPass(batch, position, active) : default;
        var (pixels, selected, accepted, tries) = augments ? Augment(batch, natural, position) : (batch.Pixels, 0, 0, 0);
        var images = TradesAttack.Run(
            _network, pixels, batch.SampleIds, LookingPass(batch.SampleIds, position), _options.TrainAttackAt(position),
            RandomStream.For(_options.Seed, RandomPurpose.Attack, position.Epoch, position.Global));

        using var tape = new Tape(_parameters);
        var pass = PassAt(BatchNormMode.UpdateStatistics, batch.SampleIds, position);
        Tensor clean = _network.Apply(pixels, pass), attacked = _network.Apply(images, pass);
        if (!augments)
            natural = NaturalLosses(clean, batch, active);
        SoftmaxCrossEntropy.Step(attacked, batch.Labels, batch.SampleIds, _adversarialLedger, wantsGradient: false);
        var losses = Add.Apply(
            SoftmaxCrossEntropy.PerSample(clean, batch.Labels), KlDivergence.PerSample(clean, attacked, (float)_options.EffectiveTradesBeta));
        var keep = augments ? null : natural.Keep;
        tape.Gradient(losses, RowWeights(losses, keep, active), _network.GradientSlots);
        return new Outcome(losses, keep, selected, accepted, tries);
    }

    /// <summary>Natural losses, their ledger rows and DOM's mask, in a pass whose gradient nobody wants.</summary>
    private NaturalFigures NaturalPass(Batch batch, StepPosition position, bool active)
    {
        using var forward = new TensorScope();
        var natural = NaturalLosses(_network.Apply(batch.Pixels, LookingPass(batch.SampleIds, position)), batch, active);
        if (natural.Keep is not null)
            forward.Keep(natural.Keep);
        if (natural.Threshold is not null)
            forward.Keep(natural.Threshold);
        return natural;
    }

    private NaturalFigures NaturalLosses(Tensor logits, Batch batch, bool active)
    {
        bool adapts = active && _policy.ThresholdKind != ThresholdKind.Fixed;
        var loss = SoftmaxCrossEntropy.Step(
            logits, batch.Labels, batch.SampleIds, _naturalLedger, wantsGradient: false,
            comparison: active && !adapts ? _policy.LeavesAlone : LossComparison.KeepAll, threshold: _policy.Threshold);
        if (!adapts)
        {
            var mask = loss.Keep is not null && _policy.RemoveSet != RemoveSet.All
                ? Auxiliary!.Refine(loss.Keep, batch, _policy, _options.Precision)
                : loss.Keep;
            return new NaturalFigures(mask, null);
        }
        var (keep, threshold) = _policy.Decide(loss.Losses);
        return new NaturalFigures(keep, threshold);
    }

    private (Tensor Pixels, int Selected, int Accepted, int Tries) Augment(Batch batch, NaturalFigures natural, StepPosition position)
    {
        float[] keep = natural.Keep!.ToFloats();
        float threshold = natural.Threshold?.ToFloats()[0] ?? _policy.Threshold;
        int[] selected = [.. Enumerable.Range(0, keep.Length).Where(n => keep[n] == 0)];
        var augmented = _domAugmentation!.Apply(
            batch, selected, threshold, ids => LookingPass(ids, position), _options.DrawsOf(RandomPurpose.Distraction, position));
        return (augmented.Pixels, selected.Length, augmented.Accepted, augmented.Tries);
    }

    private float? Divisor(bool removes) => removes && _policy.ReNorm == ReNorm.Kept ? 0 : null;

    /// <summary>keep / divisor, as the seed of the gradient of per-sample losses; DOM_DA keeps all.</summary>
    private Tensor RowWeights(Tensor losses, Tensor? keep, bool active)
    {
        if (keep is null)
            return Filled.Create(losses.Shape, 1f / losses.Count, losses.Backend);
        if (Divisor(active) is null)
        {
            // Exactly one of the two in each row; nobody has to wait for the mask.
            return Rows.Blend(Filled.Create(losses.Shape, 0, losses.Backend), Filled.Create(losses.Shape, 1f / losses.Count, losses.Backend), keep);
        }
        float[] flags = keep.ToFloats();
        float divisor = Math.Max(1, flags.Sum());
        return Tensor.From(Array.ConvertAll(flags, flag => flag / divisor), losses.Shape, losses.Backend);
    }

    /// <summary>How the network is applied where it only looks: in the natural pass, in DOM's tries, and while an attack is made.</summary>
    private Pass LookingPass(Tensor sampleIds, StepPosition position)
    {
        // In the authors' code the evaluation at the end of an epoch leaves the network in eval mode, and train() is only called before the
        // training pass: the first batch of every later epoch sees running statistics until then.
        bool leftInEvalMode = _policy.Mode == DomMode.Code && _options.EffectiveBatchNormInAttack == BatchNormMode.UpdateStatistics
            && position is { Epoch: > 0, Step: 0 };
        return PassAt(leftInEvalMode ? BatchNormMode.RunningStatistics : _options.EffectiveBatchNormInAttack, sampleIds, position);
    }

    private Pass PassAt(BatchNormMode mode, Tensor sampleIds, StepPosition position) => new(mode, _options.Precision)
    {
        Dropout = (RandomStream.For(_options.Seed, RandomPurpose.Dropout, position.Epoch, position.Global), sampleIds),
    };

    /// <summary>Starts to bring losses and mask to the host, in one copy: what a step is asked about once, and nobody has to wait for at once.</summary>
    private static PendingFigures BeginFigures(Outcome step, StepPosition position)
    {
        var (losses, keep, selected, accepted, tries) = step;
        int count = losses.Count;
        if (keep is null)
            return new PendingFigures(losses.BeginRead(), position, count, 0, (selected, accepted, tries));
        int second = (count + 15) / 16 * 16; // on a boundary of 64 bytes, like any tensor of its own
        var both = Tensor.Empty(Shape.Of(second + count), DType.F32, losses.Backend, "step figures");
        both.Backend.Run(new Copy(losses.Read, both.Rows(0, count).Write));
        both.Backend.Run(new Copy(keep.Read, both.Rows(second, count).Write));
        return new PendingFigures(both.BeginRead(), position, count, second, default);
    }

    /// <summary>Losses [N] of the images that were trained on and DOM's mask [N], both on the device; what DOM_DA did, which the host had to know.</summary>
    private readonly record struct Outcome(Tensor Losses, Tensor? Keep, int Selected = 0, int Accepted = 0, int Tries = 0);

    /// <summary>DOM's mask [N], or null where it does not act, and its threshold [1] where that follows the batch.</summary>
    private readonly record struct NaturalFigures(Tensor? Keep, Tensor? Threshold);
}
