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
using Dom.Train.Optimizers;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training.Distraction;

/// <summary>
/// Several steps of DOM_DA on a small residual network against the same thing written down once more, in loops over single images on the host: lists of images,
/// no masks, no gathered rows, plain SGD.
/// </summary>
public sealed class SlowReimplementationTests
{
    private const int Images = 8, Steps = 4, Side = 16, Classes = 10;
    private const float Rate = 0.005f, Momentum = 0.9f, Decay = 5e-4f;

    private static readonly RandomStream s_noise = RandomStream.For(17, RandomPurpose.Test);

    [Test]
    public void Steps_images_and_counters_agree(
        [Values] DomMode mode, [Values(AttackKind.None, AttackKind.RsFgsm, AttackKind.Pgd)] AttackKind attack,
        [Values(BatchNormMode.UpdateStatistics, BatchNormMode.RunningStatistics)] BatchNormMode looking)
    {
        var options = new TrainOptions
        {
            Epochs = 10, Warmup = 0, Batch = Images, LearningRate = Rate, Momentum = Momentum, WeightDecay = Decay, Schedule = ScheduleKind.Constant,
            Dom = DomAction.Augment, DomMode = mode, DomStrength = 0.3, DomTries = 3, Attack = attack, Steps = 2, Seed = 6,
            BatchNormInAttack = looking,
        };
        using var backend = new CpuBackend(2);
        using var split = new DeviceSplit(EmbeddedImages.Create(Images, Images, seed: 3).Train, backend);
        using var trained = NewNetwork(backend);
        using var twin = NewNetwork(backend);
        using var scope = new TensorScope();
        var batch = split.Gather([3, 1, 0, 7, 2, 6, 4, 5], Augmentation.None, default);
        options = options with { Threshold = MiddleLoss(twin, batch, looking) };
        var ledger = Filled.Create(Shape.Of(Images, LedgerRow.Count), 0, backend);
        using var step = new TrainingStep(
            trained, Filled.Create(trained.Arena.Shape, 0, backend), options, ledger, attack == AttackKind.None ? null : Filled.Create(ledger.Shape, 0, backend),
            new ScriptedAugmentation(Change));
        var slow = new Slow(twin, options);
        int selected = 0, accepted = 0, tries = 0;
        double difference = 0;
        for (int i = 0; i < Steps; i++)
        {
            var position = new StepPosition(Epoch: 1, Step: i, Steps: Steps);
            var figures = step.Run(batch, position).Read();
            slow.Run(batch, position);
            (selected, accepted, tries) = (selected + figures.Selected, accepted + figures.Accepted, tries + figures.Tries);
            Assert.That(Difference.Largest(figures.Losses, slow.Losses), Is.LessThan(1e-4), $"losses of step {i + 1}");
            difference = Math.Max(difference, DistanceBetween(trained, twin));
            // From the same weights again: a rounding that turns the sign of a pixel's gradient must not grow from step to step.
            twin.Arena.CopyFrom(trained.Arena.ToFloats());
            for (int b = 0; b < twin.Buffers.Count; b++)
                twin.Buffers[b].Buffer.Value.CopyFrom(trained.Buffers[b].Buffer.Value.ToFloats());
        }
        TestContext.Out.WriteLine($"selected {selected}, accepted {accepted}, tries {tries}; relative difference {difference:0.0e+0}");
        Assert.Multiple(() =>
        {
            Assert.That((selected, accepted, tries), Is.EqualTo((slow.Selected, slow.Accepted, slow.Tries)));
            Assert.That(selected, Is.GreaterThan(0).And.LessThan(Images * Steps), "some, but not all");
            Assert.That(accepted, Is.GreaterThan(0).And.LessThan(selected), "some, but not all");
            Assert.That(difference, Is.LessThan(1e-5), "parameters and running statistics");
        });
    }

    private static Network NewNetwork(CpuBackend backend) => new(ModelCatalog.Create("preact-resnet8", Side, Side, 3, Classes), backend, seed: 2);

    private static double DistanceBetween(Network one, Network other) => one.Buffers.Zip(
        other.Buffers, (a, b) => Difference.Relative(a.Buffer.Value.ToFloats(), b.Buffer.Value.ToFloats()))
        .Append(Difference.Relative(one.Arena.ToFloats(), other.Arena.ToFloats())).Max();

    /// <summary>Between the fourth and the fifth natural loss.</summary>
    private static double MiddleLoss(Network network, Batch batch, BatchNormMode mode)
    {
        using var scope = new TensorScope();
        var pass = new Pass(mode == BatchNormMode.UpdateStatistics ? BatchNormMode.BatchStatisticsOnly : mode);
        float[] losses = [.. SoftmaxCrossEntropy.PerSample(network.Apply(batch.Pixels, pass), batch.Labels).ToFloats().Order()];
        return (losses[Images / 2 - 1] + losses[Images / 2]) / 2;
    }

    /// <summary>Darkens, brightens and wraps around, differently for every sample and attempt.</summary>
    private static float Change(float pixel, int id, int attempt)
    {
        float changed = pixel * (0.4f + 0.6f * s_noise.Uniform(10 * id + attempt)) + 0.5f * s_noise.Uniform(1000 + 10 * id + attempt);
        return changed - MathF.Floor(changed);
    }

    /// <summary>The algorithm, image by image.</summary>
    private sealed class Slow(Network network, TrainOptions options)
    {
        private readonly float[] _velocity = new float[network.Arena.Count];

        public float[] Losses { get; private set; } = [];

        public int Selected { get; private set; }

        public int Accepted { get; private set; }

        public int Tries { get; private set; }

        public void Run(Batch batch, StepPosition position)
        {
            using var scope = new TensorScope();
            float threshold = (float)options.Threshold!.Value, beta = (float)options.DomStrength!.Value;
            bool isPaper = options.DomMode == DomMode.Paper;
            int[] labels = batch.Labels.ToArray<int>(), ids = batch.SampleIds.ToArray<int>();
            float[] all = batch.Pixels.ToFloats();
            var looking = options.BatchNormInAttack!.Value;
            if (!isPaper && position.Step == 0 && looking == BatchNormMode.UpdateStatistics)
                looking = BatchNormMode.RunningStatistics; // the authors' network comes from an evaluation
            var originals = Enumerable.Range(0, Images).Select(n => all[(n * all.Length / Images)..((n + 1) * all.Length / Images)]).ToArray();
            var images = originals.Select(image => (float[])image.Clone()).ToArray();
            float[] natural = LossesOf(originals, labels, looking);
            var todo = Enumerable.Range(0, Images).Where(n => isPaper ? natural[n] < threshold : natural[n] <= threshold).ToList();
            Selected += todo.Count;
            for (int attempt = 0; attempt < options.DomTries && todo.Count > 0; attempt++)
            {
                var drawn = new List<float[]>();
                foreach (int n in todo)
                    drawn.Add(Array.ConvertAll(isPaper ? originals[n] : images[n], x => Change(x, ids[n], attempt)));
                Tries += todo.Count;
                float[] losses = LossesOf(drawn, [.. todo.Select(n => labels[n])], looking);
                var left = new List<int>();
                for (int k = 0; k < todo.Count; k++)
                {
                    int n = todo[k];
                    bool isHard = isPaper ? losses[k] > threshold : losses[k] >= threshold;
                    if (isHard)
                        Accepted++;
                    else
                        left.Add(n);
                    float[] basis = isPaper ? originals[n] : images[n];
                    images[n] = isHard || (!isPaper && attempt == options.DomTries - 1)
                        ? drawn[k]
                        : basis.Zip(drawn[k], (x, a) => (1 - beta) * x + beta * a).ToArray();
                }
                todo = left;
            }
            Train(batch, images, looking, position);
        }

        private void Train(Batch batch, float[][] images, BatchNormMode looking, StepPosition position)
        {
            var attacked = Attack.Run(
                network, Upload(images), batch.Labels, batch.SampleIds, new Pass(looking), options.TrainAttack,
                RandomStream.For(options.Seed, RandomPurpose.Attack, position.Epoch, position.Global));
            using var tape = new Tape(network.ParameterTensors);
            var losses = SoftmaxCrossEntropy.PerSample(network.Apply(attacked, Pass.Train), batch.Labels);
            tape.Gradient(losses, Filled.Create(losses.Shape, 1f / Images, losses.Backend), network.GradientSlots);
            Losses = losses.ToFloats();
            float[] weights = network.Arena.ToFloats(), gradient = network.GradientArena.ToFloats();
            for (int i = 0; i < weights.Length; i++)
            {
                _velocity[i] = Momentum * _velocity[i] + gradient[i] + Decay * weights[i];
                weights[i] -= Rate * _velocity[i];
            }
            network.Arena.CopyFrom(weights);
        }

        /// <summary>With running statistics one image at a time: none may matter to another.</summary>
        private float[] LossesOf(IReadOnlyList<float[]> images, int[] labels, BatchNormMode mode)
        {
            if (mode == BatchNormMode.RunningStatistics && images.Count > 1)
                return [.. images.SelectMany((image, n) => LossesOf([image], [labels[n]], mode))];
            using var scope = new TensorScope();
            return SoftmaxCrossEntropy.PerSample(network.Apply(Upload(images), new Pass(mode)), Tensor.From(labels, network.Backend)).ToFloats();
        }

        private Tensor Upload(IReadOnlyList<float[]> images) =>
            Tensor.From([.. images.SelectMany(image => image)], Shape.Of(images.Count, Side, Side, 3), network.Backend);
    }
}
