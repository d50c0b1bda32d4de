using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Train.Measurement;

/// <summary>
/// A network on random images and labels, to measure what a step costs: the batch is gathered and augmented and the step is done exactly
/// as in training, ledger and optimizer included.
/// </summary>
public sealed class StepWorkload : IDisposable
{
    private const int Size = 32, Channels = 3, Classes = 10;

    private readonly TrainOptions _options;
    private readonly OperationCounter _backend;
    private readonly DeviceSplit _images;
    private readonly Tensor _momentum, _naturalLedger, _adversarialLedger;
    private readonly TrainingStep _step;
    private readonly Network _network;
    private readonly int[] _rows;
    private PendingFigures? _queued;
    private int _epoch;

    /// <summary>The works that <see cref="OptionsOf"/> and <see cref="StepOf"/> know: a training step, inference, an adversarial training step with PGD-10.</summary>
    public static IReadOnlyList<string> Works { get; } = ["train", "infer", "pgd"];

    /// <summary>A fresh network and a batch of 32x32 RGB images.</summary>
    /// <param name="options">Model, batch, precision and attack count; data and epochs do not. The learning rate should be small: labels are random.</param>
    /// <param name="backend">Where to compute; stays with the caller.</param>
    /// <exception cref="OptionException">An option makes no sense, or the backend cannot compute in the precision.</exception>
    public StepWorkload(TrainOptions options, IBackend backend)
    {
        options.Validate();
        PrecisionSupport.Require(options.Precision, backend);
        _options = options;
        _backend = new OperationCounter(backend);
        _rows = Enumerable.Range(0, options.Batch).ToArray();
        var pixels = new byte[options.Batch * Size * Size * Channels];
        var noise = RandomStream.For(options.Seed, RandomPurpose.Order);
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(256 * noise.Uniform(i));
        var labels = Array.ConvertAll(_rows, row => row % Classes);
        _images = new DeviceSplit(new ImageSplit(pixels, labels, Size, Size, Channels), _backend);
        _network = new Network(
            ModelCatalog.Create(options.Model, Size, Size, Channels, Classes), _backend, options.Seed, ([0.5f, 0.5f, 0.5f], [0.25f, 0.25f, 0.25f]));
        _momentum = Filled.Create(_network.Arena.Shape, 0, _backend);
        _naturalLedger = Filled.Create(Shape.Of(options.Batch, LedgerRow.Count), 0, _backend);
        _adversarialLedger = Filled.Create(_naturalLedger.Shape, 0, _backend);
        _step = new TrainingStep(_network, _momentum, options, _naturalLedger, _adversarialLedger);
    }

    /// <summary>Multiplications and additions of all convolutions and matrix products so far, padding taps counted.</summary>
    public double Operations => _backend.Operations;

    /// <summary>Kernel calls so far.</summary>
    public int Calls => _backend.CallCount;

    /// <summary>Options for a workload that does <paramref name="work"/>.</summary>
    /// <param name="work">One of <see cref="Works"/>.</param>
    /// <param name="model">Name of a network.</param>
    /// <param name="batch">Images in a step.</param>
    /// <param name="precision">Type of the activations.</param>
    public static TrainOptions OptionsOf(string work, string model, int batch, Precision precision = Precision.F32) => new()
    {
        Model = model,
        Batch = batch,
        Precision = precision,
        LearningRate = 1e-3,
        Attack = work == "pgd" ? AttackKind.Pgd : AttackKind.None,
        Steps = 10,
    };

    /// <summary>What does the work once: <see cref="Infer"/> for "infer", <see cref="Train"/> for the others.</summary>
    public Action StepOf(string work) => work == "infer" ? Infer : Train;

    /// <summary>
    /// One training step on all images. As in training, where the device works behind the host, the step is queued and then the figures of the one before are waited
    /// for: called again and again, it takes as long as the device does for a step.
    /// </summary>
    /// <exception cref="DivergedException">The loss became NaN or infinite.</exception>
    public void Train()
    {
        using var scope = new TensorScope();
        var batch = _images.Gather(_rows, _options.Augmentation, RandomStream.For(_options.Seed, RandomPurpose.Augmentation, _epoch));
        var next = _step.Run(batch, new StepPosition(0, 0, 1));
        var before = _queued;
        _queued = next;
        _epoch++;
        before?.Read();
        if (!next.IsDone)
            return;
        _queued = null;
        next.Read();
    }

    /// <summary>Logits of all images in evaluation mode; ends when they have reached the host.</summary>
    public void Infer()
    {
        using var scope = new TensorScope();
        _network.Apply(_images.Gather(_rows, Augmentation.None, default).Pixels, Pass.Evaluate with { Precision = _options.Precision }).ToFloats();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _queued?.Dispose();
        _step.Dispose();
        _images.Dispose();
        _momentum.Dispose();
        _naturalLedger.Dispose();
        _adversarialLedger.Dispose();
        _network.Dispose();
    }
}
