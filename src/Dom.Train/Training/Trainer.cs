using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Augmentations;
using Dom.Train.Data;
using Dom.Train.Memorization;

namespace Dom.Train.Training;

/// <summary>
/// A network in training: parameters, momentum, ledgers and position. Advances step by step and epoch by epoch; what it does depends on its
/// options, the data and the position alone. Files are the business of <see cref="TrainingRun"/>.
/// </summary>
public sealed partial class Trainer : IDisposable
{
    private readonly TrainOptions _options;
    private readonly DataSet _data;
    private readonly DeviceSplit _train, _test;
    private readonly Tensor _momentum, _naturalLedger;
    private readonly Tensor? _adversarialLedger;
    private readonly TrainingStep _step;
    private readonly IImageAugmentation? _augmentation;
    private readonly AuxiliaryModel? _auxiliary;
    private Dictionary<string, float[]> _passRows = [];

    /// <summary>A fresh network for the given data.</summary>
    /// <exception cref="OptionException">An option makes no sense, or the backend cannot compute in the precision.</exception>
    public Trainer(TrainOptions options, DataSet data, IBackend backend)
    {
        options.Validate();
        PrecisionSupport.Require(options.Precision, backend);
        _options = options;
        _data = data;
        var images = data.Train;
        if (options.CropPadding >= Math.Min(images.Height, images.Width))
            throw new OptionException(
                $"--crop-padding is {options.CropPadding}; it must be below the size of the images, {images.Height}x{images.Width}.");
        bool drawsImages = options.Augment != AugmentationKind.None || options.Dom == DomAction.Augment;
        if (drawsImages && images.Channels is not (1 or 3))
        {
            throw new OptionException(
                $"{(options.Augment != AugmentationKind.None ? "--augment" : "--dom augment")}: AugMix and RandAugment are defined on gray and RGB images; "
                + $"those of {options.Data} have {images.Channels} channels.");
        }
        Network = NewNetwork(options, data, backend);
        _momentum = Zeros(Network.Arena.Shape, "momentum");
        _naturalLedger = Zeros(Shape.Of(images.Count, LedgerRow.Count), "ledger");
        _adversarialLedger = options.Attack == Attacks.AttackKind.None ? null : Zeros(_naturalLedger.Shape, "ledger");
        _train = new DeviceSplit(images, backend);
        _test = new DeviceSplit(data.Test, backend);
        _augmentation = options.Augment == AugmentationKind.None ? null : ImageAugmentations.Create(options.Augment);
        _auxiliary = options.RemoveSet == RemoveSet.All ? null : new AuxiliaryModel(NewNetwork(options, data, backend));
        _step = new TrainingStep(Network, _momentum, options, _naturalLedger, _adversarialLedger) { Auxiliary = _auxiliary };
    }

    /// <summary>The network.</summary>
    public Network Network { get; }

    /// <summary>Where the run stands.</summary>
    public RunState State { get; private set; } = new();

    /// <summary>Steps in an epoch.</summary>
    public int Steps => (_train.Count + _options.Batch - 1) / _options.Batch;

    /// <summary>Whether all epochs are done.</summary>
    public bool IsFinished => State.Epoch >= _options.Epochs;

    /// <summary>Whether the epoch under way has no step left and can be closed by <see cref="FinishEpoch"/>.</summary>
    public bool IsEpochDone => State.Step == Steps;

    /// <summary>The ledger tensors by the names they have in checkpoints.</summary>
    public IEnumerable<(string Name, Tensor Ledger)> Ledgers => _adversarialLedger is null
        ? [("ledger.natural", _naturalLedger)]
        : [("ledger.natural", _naturalLedger), ("ledger.adversarial", _adversarialLedger)];

    /// <summary>The sample ids of step <paramref name="step"/> of the epoch under way.</summary>
    public int[] RowsOf(int step)
    {
        var order = RandomStream.For(_options.Seed, RandomPurpose.Order, State.Epoch).Permutation(_train.Count);
        int start = step * _options.Batch;
        return order[start..Math.Min(start + _options.Batch, order.Length)];
    }

    /// <summary>Evaluates the network at the end of an epoch and moves on to the next.</summary>
    /// <param name="imagesPerSecond">Training speed, for the figures.</param>
    /// <param name="observer">Is told how the evaluation goes.</param>
    /// <param name="cancel">Stops the evaluation; the epoch stays open then.</param>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    /// <exception cref="DivergedException">A parameter is not finite.</exception>
    public EpochMetrics FinishEpoch(double imagesPerSecond, ITrainingObserver? observer, CancellationToken cancel)
    {
        RequireFiniteParameters();
        var attack = _options.EvaluationAttack;
        int tested = _test.Count * (attack.Kind == Attacks.AttackKind.None ? 1 : 2), total = tested + LedgerPass.SamplesOf(_options, _train.Count);
        var evaluating = observer?.Begin("evaluation");
        var clean = Evaluation.Run(
            Network, _test, Attacks.AttackOptions.None, batch: _options.Batch, precision: _options.Precision,
            progress: n => observer?.Evaluating(n, total), cancel: cancel);
        var robust = attack.Kind == Attacks.AttackKind.None ? null : Evaluation.Run(
            Network, _test, attack, _options.Seed, State.Epoch, _options.Batch, _options.Precision,
            n => observer?.Evaluating(_test.Count + n, total), cancel: cancel);

        if (_options.LedgerPass != LedgerPassKind.Off)
            _passRows = LedgerPass.Run(Network, _train, _options, State.Epoch, n => observer?.Evaluating(tested + n, total), cancel);
        evaluating?.Dispose();

        using var figures = observer?.Begin("epoch figures");
        int epoch = State.Epoch + 1;
        var metrics = new EpochSummary(_options, _data.Train).Of(
            State, _naturalLedger.ToFloats(), _adversarialLedger?.ToFloats(), clean, robust, imagesPerSecond);
        State = State with { Epoch = epoch, Step = 0, Kept = 0, Selected = 0, Accepted = 0, Tries = 0, LossSum = 0 };
        if (clean.Accuracy > State.BestNatural)
            State = State with { BestNatural = clean.Accuracy, BestNaturalEpoch = epoch };
        if (robust is not null && robust.Accuracy > State.BestRobust)
            State = State with { BestRobust = robust.Accuracy, BestRobustEpoch = epoch };
        if (epoch == _options.EffectiveWarmup)
            _auxiliary?.Freeze(Network);
        (State, var sign) = CollapseAlarm.Watch(State, metrics, _options.EffectiveOnCollapse, _data.ClassNames.Count);
        _step.Follow(_options.PolicyAt(State));
        return metrics with { Collapse = sign };
    }

    /// <summary>The rows that the epoch leaves in the ledger, by column name.</summary>
    public IReadOnlyDictionary<string, float[]> LedgerRows()
    {
        var natural = _naturalLedger.ToFloats();
        var rows = LedgerColumns.Natural
            .Select((name, column) => (name, Column(natural, column)))
            .ToDictionary(pair => pair.name, pair => pair.Item2);
        if (_adversarialLedger?.ToFloats() is { } adversarial)
        {
            rows.Add(LedgerColumns.AdversarialLoss, Column(adversarial, LedgerRow.Loss));
            rows.Add(LedgerColumns.AdversarialCorrect, Column(adversarial, LedgerRow.Correct));
        }
        foreach (var (name, row) in _passRows)
            rows.Add(name, row);
        return rows;
    }

    /// <summary>Writes a checkpoint from which <see cref="Load"/> goes on.</summary>
    /// <exception cref="DivergedException">A parameter is not finite; an older file of that name is still there.</exception>
    /// <exception cref="InvalidOperationException">The network is a step ahead of <see cref="State"/>.</exception>
    public void Save(string path)
    {
        if (_queued is { Position: var ahead })
        {
            throw new InvalidOperationException(
                $"checkpoint: the run stands behind step {State.Step} of epoch {State.Epoch + 1}, and step {ahead.Step + 1} is under way; " +
                "save after a step at which RunSteps settles, or when it has returned.");
        }
        RequireFiniteParameters();
        Checkpoint.Save(path, _options, State, Network, _momentum, Ledgers, _auxiliary?.Network);
    }

    /// <summary>Goes back to where a checkpoint was written.</summary>
    public void Load(string path)
    {
        State = Checkpoint.Load(path, Network, _momentum, Ledgers, _auxiliary?.Network);
        _step.Recover();
        _step.Follow(_options.PolicyAt(State));
    }

    /// <summary>
    /// Repeats the step under way on a backend that watches every kernel call, to find the first that makes a NaN or an infinity.
    /// </summary>
    /// <param name="watched">Wraps the backend.</param>
    /// <returns>What was found, or that nothing was.</returns>
    public string Diagnose(Func<IBackend, IBackend> watched)
    {
        if (!HasFiniteParameters)
            return "The gradients or the update of the step before overflowed.";
        var backend = watched(Network.Backend);
        using var twin = new Trainer(_options, _data, backend);
        using var scope = new TensorScope();
        try
        {
            backend.Run(new Copy(Network.Arena.Read, twin.Network.Arena.Write));
            for (int i = 0; i < Network.Buffers.Count; i++)
            {
                // The step that failed, and one that was queued behind it, have spoiled some of the running statistics; those start afresh, or they would be blamed.
                float[] values = Network.Buffers[i].Buffer.Value.ToFloats();
                if (values.All(float.IsFinite))
                    twin.Network.Buffers[i].Buffer.Value.CopyFrom(values);
            }
            twin.State = State;
            twin._step.Follow(_options.PolicyAt(State));
            if (_auxiliary is not null)
                twin._auxiliary!.Freeze(_auxiliary.Network);
            var position = new StepPosition(State.Epoch, State.Step, Steps);
            using var figures = twin._step.Run(twin.BatchOf(RowsOf(State.Step), position), position);
            figures.Read();
            return "when the step was repeated, all numbers were finite.";
        }
        catch (NanException e)
        {
            return e.Message;
        }
        catch (DivergedException)
        {
            return "no single operator made it: every result was finite but the loss.";
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _queued?.Dispose();
        _step.Dispose();
        _train.Dispose();
        _test.Dispose();
        _momentum.Dispose();
        _naturalLedger.Dispose();
        _adversarialLedger?.Dispose();
        _auxiliary?.Dispose();
        Network.Dispose();
    }

    private static Network NewNetwork(TrainOptions options, DataSet data, IBackend backend)
    {
        var images = data.Train;
        try
        {
            var module = ModelCatalog.Create(options.Model, images.Height, images.Width, images.Channels, data.ClassNames.Count);
            return new Network(module, backend, options.Seed, DataSets.Normalization(data));
        }
        catch (ArgumentException e)
        {
            throw new OptionException($"--model {options.Model}: {e.Message}", e);
        }
    }

    private bool HasFiniteParameters => Network.Arena.ToFloats().All(float.IsFinite);

    // A gradient may overflow although the loss did not; what it leaves must never replace a good checkpoint.
    private void RequireFiniteParameters()
    {
        if (!HasFiniteParameters)
            throw new DivergedException($"a parameter became NaN or infinite in epoch {State.Epoch + 1}, step {State.Step}.");
    }

    private static float[] Column(float[] ledger, int column)
    {
        var values = new float[ledger.Length / LedgerRow.Count];
        for (int row = 0; row < values.Length; row++)
            values[row] = ledger[row * LedgerRow.Count + column];
        return values;
    }

    private Tensor Zeros(Shape shape, string owner)
    {
        var tensor = Tensor.Persistent(shape, DType.F32, Network.Backend, owner);
        Network.Backend.Run(new Fill(tensor.Write, 0));
        return tensor;
    }
}
