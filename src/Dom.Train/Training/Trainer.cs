using System.Diagnostics;
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
public sealed class Trainer : IDisposable
{
    private readonly TrainOptions _options;
    private readonly DataSet _data;
    private readonly DeviceSplit _train, _test;
    private readonly Tensor _momentum, _naturalLedger;
    private readonly Tensor? _adversarialLedger;
    private readonly TrainingStep _step;
    private readonly IImageAugmentation? _augmentation;

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
        Module module;
        try
        {
            module = ModelCatalog.Create(options.Model, images.Height, images.Width, images.Channels, data.ClassNames.Count);
        }
        catch (ArgumentException e)
        {
            throw new OptionException($"--model {options.Model}: {e.Message}", e);
        }
        Network = new Network(module, backend, options.Seed, DataSets.Normalization(data));
        _momentum = Zeros(Network.Arena.Shape, "momentum");
        _naturalLedger = Zeros(Shape.Of(images.Count, LedgerRow.Count), "ledger");
        _adversarialLedger = options.Attack == Attacks.AttackKind.None ? null : Zeros(_naturalLedger.Shape, "ledger");
        _train = new DeviceSplit(images, backend);
        _test = new DeviceSplit(data.Test, backend);
        _augmentation = options.Augment == AugmentationKind.None ? null : ImageAugmentations.Create(options.Augment);
        _step = new TrainingStep(Network, _momentum, options, _naturalLedger, _adversarialLedger);
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

    /// <summary>Does the remaining steps of the epoch under way.</summary>
    /// <param name="observer">Is told of each step.</param>
    /// <param name="afterStep">Called with the figures of each step behind it, when <see cref="State"/> is consistent.</param>
    /// <param name="cancel">Stops after the step that is under way.</param>
    /// <returns>Images a second, or NaN where no step was left.</returns>
    /// <exception cref="DivergedException">A loss is not finite; the parameters are those before the step.</exception>
    public double RunSteps(ITrainingObserver? observer, Action<StepMetrics>? afterStep, CancellationToken cancel)
    {
        var order = RandomStream.For(_options.Seed, RandomPurpose.Order, State.Epoch).Permutation(_train.Count);
        var schedule = new Optimizers.Schedule(_options.Schedule, _options.LearningRate, _options.Epochs);
        var watch = Stopwatch.StartNew();
        double loss = 0;
        long visits = 0;
        while (State.Step < Steps && !cancel.IsCancellationRequested)
        {
            using var scope = new TensorScope();
            int start = State.Step * _options.Batch;
            var rows = order.AsSpan(start, Math.Min(_options.Batch, order.Length - start));
            var position = new StepPosition(State.Epoch, State.Step, Steps);
            Batch batch;
            using (observer?.Begin("batch"))
                batch = BatchOf(rows, position);
            var figures = _step.Run(batch, position);
            StepProgress progress;
            StepMetrics metrics;
            using (observer?.Begin("figures"))
            {
                double stepLoss = figures.Losses.Sum(l => (double)l), rate = schedule.At(position.Time);
                State = State with
                {
                    Step = State.Step + 1,
                    Kept = State.Kept + figures.Kept,
                    LossSum = State.LossSum + stepLoss,
                    Selected = State.Selected + (Augments ? figures.Selected : 0),
                    Accepted = State.Accepted + figures.Accepted,
                    Tries = State.Tries + figures.Tries,
                };
                loss += stepLoss;
                visits += rows.Length;
                metrics = new StepMetrics
                {
                    Epoch = position.Epoch + 1,
                    Step = position.Step + 1,
                    Loss = stepLoss / rows.Length,
                    Kept = figures.Kept,
                    Selected = Augments ? figures.Selected : null,
                    Accepted = Augments ? figures.Accepted : null,
                    Tries = Augments ? figures.Tries : null,
                    LearningRate = rate,
                };
                progress = new StepProgress(
                    position, loss / visits, figures.Losses.Count(l => l < _options.EffectiveThreshold) / (double)rows.Length,
                    visits / watch.Elapsed.TotalSeconds, rate);
            }
            observer?.StepDone(progress);
            afterStep?.Invoke(metrics);
        }
        return visits == 0 ? double.NaN : visits / watch.Elapsed.TotalSeconds;
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
        int total = _test.Count * (attack.Kind == Attacks.AttackKind.None ? 1 : 2);
        var evaluating = observer?.Begin("evaluation");
        var clean = Evaluation.Run(
            Network, _test, Attacks.AttackOptions.None, batch: _options.Batch, precision: _options.Precision,
            progress: n => observer?.Evaluating(n, total), cancel: cancel);
        var robust = attack.Kind == Attacks.AttackKind.None ? null : Evaluation.Run(
            Network, _test, attack, _options.Seed, State.Epoch, _options.Batch, _options.Precision,
            n => observer?.Evaluating(_test.Count + n, total), cancel: cancel);

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
        return metrics;
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
        return rows;
    }

    /// <summary>Writes a checkpoint from which <see cref="Load"/> goes on.</summary>
    /// <exception cref="DivergedException">A parameter is not finite; an older file of that name is still there.</exception>
    public void Save(string path)
    {
        RequireFiniteParameters();
        Checkpoint.Save(path, _options, State, Network, _momentum, Ledgers);
    }

    /// <summary>Goes back to where a checkpoint was written.</summary>
    public void Load(string path) => State = Checkpoint.Load(path, Network, _momentum, Ledgers);

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
                // The step that failed has spoiled some of the running statistics; those start afresh, or they would be blamed.
                float[] values = Network.Buffers[i].Buffer.Value.ToFloats();
                if (values.All(float.IsFinite))
                    twin.Network.Buffers[i].Buffer.Value.CopyFrom(values);
            }
            twin.State = State;
            var position = new StepPosition(State.Epoch, State.Step, Steps);
            twin._step.Run(twin.BatchOf(RowsOf(State.Step), position), position);
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
        _train.Dispose();
        _test.Dispose();
        _momentum.Dispose();
        _naturalLedger.Dispose();
        _adversarialLedger?.Dispose();
        Network.Dispose();
    }

    private bool Augments => _options.Dom == DomAction.Augment;

    /// <summary>The batch of a step: gathered, cropped, flipped and, where every image is, augmented.</summary>
    private Batch BatchOf(ReadOnlySpan<int> rows, StepPosition position)
    {
        var batch = _train.Gather(rows, _options.Augmentation, RandomStream.For(_options.Seed, RandomPurpose.Augmentation, position.Epoch));
        return _augmentation is null ? batch : batch with
        {
            Pixels = _augmentation.Apply(
                batch.Pixels, rows, _options.DrawsOf(RandomPurpose.ImageAugmentation, position), 0, _options.AugmentationDraw),
        };
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
