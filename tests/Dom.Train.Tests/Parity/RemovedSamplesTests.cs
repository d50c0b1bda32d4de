using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Parity;

/// <summary>
/// A step of adversarial training with DOM against its definition, on real images: the gradient is that of the sum of the adversarial losses of
/// those samples whose natural loss, as the ledger has it, is above T, divided by the size of the full batch.
/// </summary>
public sealed class RemovedSamplesTests
{
    private const int Samples = 20;
    private const ulong Seed = 8;

    private static readonly (float[], float[]) s_normalization = ([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]);

    [TestCase(AttackKind.None)]
    [TestCase(AttackKind.Pgd)]
    public void The_gradient_is_that_of_the_samples_above_the_threshold_over_the_full_batch(AttackKind attack)
    {
        var images = RealImages.Load("000[0-1].jpg", "0000.jpg").Train;
        using var backend = new CpuBackend();
        using var trained = NewNetwork(backend);
        using var twin = NewNetwork(backend);
        using var split = new DeviceSplit(images, backend);
        using var scope = new TensorScope();
        var batch = split.Gather(Enumerable.Range(0, Samples).ToArray(), Augmentation.None, default);
        float threshold = Median(NaturalLosses(twin, batch));
        var options = new TrainOptions
        {
            Attack = attack, Steps = 2, Dom = DomAction.Remove, Threshold = threshold, Warmup = 0, Epochs = 2, Seed = Seed, Batch = Samples,
        };
        var ledger = Filled.Create(Shape.Of(Samples, LedgerRow.Count), -1, backend);
        var momentum = Filled.Create(trained.Arena.Shape, 0, backend);
        var adversarialLedger = attack == AttackKind.None ? null : Filled.Create(ledger.Shape, -1, backend);

        using var step = new TrainingStep(trained, momentum, options, ledger, adversarialLedger);
        var figures = step.Run(batch, new StepPosition(0, 0, 5)).Read();

        var losses = Enumerable.Range(0, Samples).Select(row => ledger.ToFloats()[row * LedgerRow.Count + LedgerRow.Loss]).ToArray();
        var seed = Array.ConvertAll(losses, loss => loss > threshold ? 1f / Samples : 0);
        var expected = Gradient(twin, batch, options, Tensor.From(seed, Shape.Of(Samples), backend));
        double difference = Difference.Relative(trained.GradientArena.ToFloats(), expected);
        TestContext.Out.WriteLine($"{attack}: threshold {threshold:0.000}, kept {figures.Kept} of {Samples}, gradient's relative difference {difference:0.0e+0}");
        Assert.Multiple(() =>
        {
            Assert.That(figures.Kept, Is.EqualTo(Samples / 2), "half of the losses are above their median");
            Assert.That(losses, Is.EqualTo(NaturalLosses(twin, batch)), "the ledger holds the natural losses");
            Assert.That(difference, Is.LessThan(1e-5));
        });
    }

    private static float[] Gradient(Network network, Batch batch, TrainOptions options, Tensor seed)
    {
        var images = Attack.Run(network, batch.Pixels, batch.Labels, batch.SampleIds, new Pass(BatchNormMode.BatchStatisticsOnly),
            options.TrainAttack, RandomStream.For(Seed, RandomPurpose.Attack));
        using var tape = new Tape(network.ParameterTensors);
        var losses = SoftmaxCrossEntropy.PerSample(network.Apply(images, Pass.Train), batch.Labels);
        tape.Gradient(losses, seed, network.GradientSlots);
        return network.GradientArena.ToFloats();
    }

    private static float[] NaturalLosses(Network network, Batch batch) =>
        SoftmaxCrossEntropy.PerSample(network.Apply(batch.Pixels, new Pass(BatchNormMode.BatchStatisticsOnly)), batch.Labels).ToFloats();

    private static float Median(float[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static Network NewNetwork(CpuBackend backend) =>
        new(ModelCatalog.Create("preact-resnet8", 32, 32, 3, 10), backend, Seed, s_normalization);
}
