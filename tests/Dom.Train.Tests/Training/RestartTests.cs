using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;

namespace Dom.Train.Tests.Training;

public sealed class RestartTests
{
    private const int Samples = 24, Inputs = 12, Classes = 3;

    private static readonly RandomStream s_stream = RandomStream.For(9, RandomPurpose.Attack, step: 1L << 31);
    private static readonly AttackOptions s_attack = AttackOptions.Create(AttackKind.Pgd, epsilonIn255ths: 20, stepSizeIn255ths: 5, steps: 5);

    private CpuBackend _backend = null!;
    private Network _network = null!;
    private TensorScope _scope = null!;
    private Batch _batch = null!;
    private float[] _clean = null!;
    private int[] _label = null!;

    /// <summary>A small network of ReLUs and images in random order that it classifies correctly, but for the first three.</summary>
    [SetUp]
    public void Open()
    {
        _backend = new CpuBackend(2);
        _network = new Network(new Mlp(Inputs, [16], Classes), _backend, seed: 6);
        _scope = new TensorScope();
        var random = RandomStream.For(1, RandomPurpose.Test);
        _clean = [.. Enumerable.Range(0, Samples * Inputs).Select(i => random.Uniform(i))];
        var pixels = Tensor.From(_clean, Shape.Of(Samples, 2, 2, 3), _backend);
        var logits = _network.Apply(pixels, Pass.Evaluate).ToFloats().Chunk(Classes).ToArray();
        _label = [.. logits.Select((z, n) => (Array.IndexOf(z, z.Max()) + (n < 3 ? 1 : 0)) % Classes)];
        _batch = new Batch(pixels, Tensor.From(_label, _backend), Tensor.From(random.Permutation(Samples), _backend));
    }

    [TearDown]
    public void Close()
    {
        _scope.Dispose();
        _network.Dispose();
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
        _backend.Dispose();
    }

    [Test]
    public void One_restart_has_the_bits_of_pgd_step_by_step()
    {
        var x = Add.Apply(_batch.Pixels, Noise.Uniform(_batch.SampleIds, _batch.Pixels.Shape, s_stream, -s_attack.Epsilon, s_attack.Epsilon));
        x = Perturb.SignStep(_batch.Pixels, x, x, 0, s_attack.Epsilon);
        for (int step = 0; step < s_attack.Steps; step++)
            x = Perturb.SignStep(_batch.Pixels, x, Attack.InputGradient(_network, x, _batch.Labels, _batch.SampleIds, Pass.Evaluate), s_attack.StepSize, s_attack.Epsilon);
        Assert.That(Images(1), Is.EqualTo(x.ToFloats()));
    }

    [TestCase(2, 0)]
    [TestCase(2, 5)]
    [TestCase(7, 5)]
    public void Every_sample_ends_where_it_ends_alone(int restarts, int steps)
    {
        var together = Images(restarts, steps);
        int[] id = _batch.SampleIds.ToArray<int>(), moves = new int[Samples];
        for (int n = 0; n < Samples; n++)
        {
            var alone = Alone(n, id[n], restarts, steps, ref moves[n]);
            Assert.That(together[(n * Inputs)..((n + 1) * Inputs)], Is.EqualTo(alone).Within(1e-6), $"sample {n}");
        }
        TestContext.Out.WriteLine($"steps in all restarts: {string.Join(" ", moves)}");
        if (steps == 0)
            return;
        Assert.That(moves, Has.Some.EqualTo(0), "fooled by every start");
        Assert.That(moves, Has.Some.EqualTo(restarts * steps), "never fooled");
        Assert.That(moves, Has.Some.InRange(1, restarts * steps - 1), "fooled on the way");
    }

    [Test]
    public void No_loss_falls_with_more_restarts_and_some_rise()
    {
        float[] before = Losses(2), after = Losses(5);
        Assert.That(after.Zip(before, (a, b) => a - b), Has.All.GreaterThanOrEqualTo(0f).And.Some.GreaterThan(0f));
    }

    [Test]
    public void Every_image_stays_in_the_ball_and_in_the_box()
    {
        var images = Images(4);
        Assert.That(images, Has.All.InRange(0f, 1f));
        Assert.That(images.Zip(_clean, (x, clean) => Math.Abs(x - clean)), Has.All.LessThanOrEqualTo(s_attack.Epsilon + 1e-6));
    }

    [Test]
    public void With_epsilon_zero_the_images_stay_as_they_are() =>
        Assert.That(Run(AttackOptions.Create(AttackKind.Pgd, 0, 2, 5) with { Restarts = 3 }).ToFloats(), Is.EqualTo(_clean));

    [Test]
    public void The_euclidean_ball_has_restarts_too()
    {
        var options = AttackOptions.Create(AttackKind.Pgd, 60, null, 5, AttackNorm.L2) with { Restarts = 3 };
        var images = Run(options).ToFloats();
        var sizes = Enumerable.Range(0, Samples).Select(n => Math.Sqrt(Enumerable.Range(n * Inputs, Inputs).Sum(i => Math.Pow(images[i] - _clean[i], 2))));
        Assert.That(sizes, Has.All.InRange(1e-3, options.Epsilon + 1e-6));
    }

    [Test]
    public void Restarts_are_refused_where_they_mean_nothing()
    {
        Assert.That(() => Images(0), Throws.ArgumentException.With.Message.Contains("got 0"));
        Assert.That(() => Run(AttackOptions.Create(AttackKind.Fgsm, 8) with { Restarts = 2 }), Throws.ArgumentException.With.Message.Contains("Fgsm"));
        Assert.That(() => Run(s_attack with { Restarts = 2 }, Pass.Train), Throws.ArgumentException.With.Message.Contains("evaluation mode"));
    }

    [Test]
    public void Restarts_are_counted_and_canceled_between_steps()
    {
        var seen = new List<int>();
        Attack.Run(_network, _batch.Pixels, _batch.Labels, _batch.SampleIds, Pass.Evaluate, s_attack with { Restarts = 3 }, s_stream, seen.Add);
        Assert.That(seen, Is.EqualTo(new[] { 1, 2, 3 }));
        using var source = new CancellationTokenSource();
        Assert.That(
            () => Attack.Run(_network, _batch.Pixels, _batch.Labels, _batch.SampleIds, Pass.Evaluate, s_attack with { Restarts = 3 }, s_stream, _ => source.Cancel(), source.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private Tensor Run(AttackOptions options, Pass? pass = null) => Attack.Run(_network, _batch.Pixels, _batch.Labels, _batch.SampleIds, pass ?? Pass.Evaluate, options, s_stream);

    private float[] Images(int restarts, int steps = 5) => Run(s_attack with { Restarts = restarts, Steps = steps }).ToFloats();

    private float[] Losses(int restarts) =>
        SoftmaxCrossEntropy.PerSample(_network.Apply(Run(s_attack with { Restarts = restarts }), Pass.Evaluate), _batch.Labels).ToFloats();

    /// <summary>The protocol for one sample in plain loops; only logits and gradients are the engine's.</summary>
    private float[] Alone(int n, int id, int restarts, int steps, ref int moves)
    {
        var clean = _clean[(n * Inputs)..((n + 1) * Inputs)];
        float[] best = [];
        double highest = double.NegativeInfinity;
        for (int restart = 0; restart < restarts; restart++)
        {
            var noise = (s_stream with { Step = s_stream.Step + (uint)restart }).ForSample(id);
            var x = clean.Select((c, j) => Math.Clamp(c + s_attack.Epsilon * (2 * noise.Uniform(j) - 1), 0, 1)).ToArray();
            for (int step = 0; step < steps && IsCorrect(x, n); step++, moves++)
            {
                var gradient = Attack.InputGradient(_network, One(x), _batch.Labels.Rows(n, 1), _batch.SampleIds.Rows(n, 1), Pass.Evaluate).ToFloats();
                for (int j = 0; j < Inputs; j++)
                {
                    float moved = x[j] + s_attack.StepSize * MathF.Sign(gradient[j]);
                    x[j] = Math.Clamp(Math.Clamp(moved, clean[j] - s_attack.Epsilon, clean[j] + s_attack.Epsilon), 0, 1);
                }
            }
            var logits = Logits(x);
            double loss = Math.Log(logits.Sum(z => Math.Exp(z - logits[_label[n]])));
            if (loss >= highest)
                (best, highest) = (x, loss);
        }
        return best;
    }

    private bool IsCorrect(float[] x, int n) => Logits(x) is var logits && Array.IndexOf(logits, logits.Max()) == _label[n];

    private float[] Logits(float[] x) => _network.Apply(One(x), Pass.Evaluate).ToFloats();

    private Tensor One(float[] x) => Tensor.From(x, Shape.Of(1, 2, 2, 3), _backend);
}
