using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Training;

public sealed class FabAttackTests
{
    private const int Samples = 24, Inputs = 12, Classes = 4;

    private CpuBackend _backend = null!;
    private Network _linear = null!, _network = null!;
    private TensorScope _scope = null!;
    private float[] _clean = null!;

    [SetUp]
    public void Open()
    {
        _backend = new CpuBackend(2);
        _linear = new Network(new Mlp(Inputs, [], Classes), _backend, seed: 6);
        _network = new Network(new Mlp(Inputs, [16], Classes), _backend, seed: 6);
        _scope = new TensorScope();
        var random = RandomStream.For(1, RandomPurpose.Test);
        _clean = [.. Enumerable.Range(0, Samples * Inputs).Select(i => random.Uniform(i))];
    }

    [TearDown]
    public void Close()
    {
        _scope.Dispose();
        _linear.Dispose();
        _network.Dispose();
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
        _backend.Dispose();
    }

    [Test]
    public void On_a_linear_network_it_finds_the_closest_boundary_within_its_overshoot()
    {
        // Closer than min_t |z_t - z_y| / ||w_t - w_y||_1 there is no adversarial image. With steps of 1.05 and back to 0.9 the closest point that FAB visits is half a percent beyond.
        var batch = Batch(_linear, [.. _clean.Select(c => 0.3f + 0.4f * c)]);
        double[] radius = Radii(batch);
        for (int n = 0; n < Samples; n++)
        {
            Assert.That(radius[n], Is.LessThan(0.25), "no box is active");
            Assert.That(Fooled(_linear, batch.Pick([n]), 0.999 * radius[n]), Is.False, $"sample {n}: nothing is that close");
            Assert.That(Fooled(_linear, batch.Pick([n]), 1.006 * radius[n]), Is.True, $"sample {n}");
        }
    }

    [Test]
    public void With_hardly_any_overshoot_it_finds_the_exact_distance()
    {
        var batch = Batch(_linear, [.. _clean.Select(c => 0.3f + 0.4f * c)]);
        double[] radius = Radii(batch);
        var attack = new FabAttack(new FabOptions(Overshoot: 1.0002f));
        for (int n = 0; n < Samples; n++)
            Assert.That(Fooled(_linear, batch.Pick([n]), 1.0003 * radius[n], attack), Is.True, $"sample {n}");
    }

    [Test]
    public void Where_pixels_run_into_the_box_it_finds_the_closest_boundary_too()
    {
        // Half of the pixels are black or white already: with the same weights the boundary is farther than without a box.
        var batch = Batch(_linear, [.. _clean.Select(c => c < 0.25f ? 0 : c > 0.75f ? 1 : c)]);
        double[] free = Radii(batch), boxed = Radii(batch, inBox: true);
        for (int n = 0; n < Samples; n++)
        {
            Assert.That(Fooled(_linear, batch.Pick([n]), 0.999 * boxed[n]), Is.False, $"sample {n}: nothing is that close");
            Assert.That(Fooled(_linear, batch.Pick([n]), 1.01 * boxed[n]), Is.True, $"sample {n}");
        }
        Assert.That(boxed.Zip(free, (b, f) => b / f), Has.Some.GreaterThan(1.2));
    }

    [Test]
    public void Every_sample_ends_where_the_attack_written_out_ends()
    {
        const float Epsilon = 0.12f;
        var batch = Batch(_network, _clean);
        var outcome = new FabAttack().Run(_network, batch, Pass.Evaluate, new AttackBudget(Epsilon, 0));
        float[] images = outcome.Images.ToFloats();
        for (int n = 0; n < Samples; n++)
        {
            var (closest, distance) = Alone(n, batch.HostLabels[n], Epsilon, new FabOptions());
            Assert.That(outcome.Fooled[n], Is.EqualTo(distance <= Epsilon), $"sample {n}: {distance}");
            Assert.That(Row(images, n), Is.EqualTo(distance <= Epsilon ? closest : Row(_clean, n)).Within(1e-4), $"sample {n}");
        }
        TestContext.Out.WriteLine($"{outcome.Fooled.Count(f => f)} of {Samples} fooled");
        Assert.That(outcome.Fooled.Count(f => f), Is.InRange(4, Samples - 4));
    }

    [Test]
    public void Images_are_adversarial_and_in_the_ball_where_it_says_so_and_clean_elsewhere()
    {
        const float Epsilon = 0.12f;
        var batch = Batch(_network, _clean);
        var outcome = new FabAttack().Run(_network, batch, Pass.Evaluate, new AttackBudget(Epsilon, 0));
        float[] images = outcome.Images.ToFloats();
        int[] predictions = Predictions(_network, outcome.Images);
        Assert.That(images, Has.All.InRange(0f, 1f));
        for (int n = 0; n < Samples; n++)
        {
            Assert.That(predictions[n] != batch.HostLabels[n], Is.EqualTo(outcome.Fooled[n]), $"sample {n}");
            float distance = Row(images, n).Zip(Row(_clean, n), (a, b) => Math.Abs(a - b)).Max();
            Assert.That(distance, outcome.Fooled[n] ? Is.InRange(1e-3f, Epsilon + 1e-6f) : Is.Zero, $"sample {n}");
        }
    }

    [Test]
    public void More_room_never_saves_a_sample()
    {
        var batch = Batch(_network, _clean);
        bool[][] fooled = [.. new[] { 0.01f, 0.05f, 0.12f, 0.3f, 1 }.Select(e => new FabAttack().Run(_network, batch, Pass.Evaluate, new AttackBudget(e, 0)).Fooled)];
        for (int i = 1; i < fooled.Length; i++)
            Assert.That(fooled[i].Zip(fooled[i - 1], (larger, smaller) => larger || !smaller), Has.All.True);
        Assert.That(fooled[^1], Has.All.True, "no sample of this network is robust in all of the box");
    }

    [Test]
    public void A_sample_gets_the_same_result_in_any_batch()
    {
        var batch = Batch(_network, _clean);
        var budget = new AttackBudget(0.12f, 0);
        var together = new FabAttack().Run(_network, batch, Pass.Evaluate, budget);
        int[] order = [.. Enumerable.Range(0, Samples).Reverse().Where(n => n % 3 != 1)];
        var apart = new FabAttack().Run(_network, batch.Pick(order), Pass.Evaluate, budget);
        float[] images = together.Images.ToFloats(), others = apart.Images.ToFloats();
        for (int i = 0; i < order.Length; i++)
        {
            Assert.That(apart.Fooled[i], Is.EqualTo(together.Fooled[order[i]]));
            Assert.That(Row(others, i), Is.EqualTo(Row(images, order[i])).Within(1e-4));
        }
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits_and_the_seed_has_no_influence()
    {
        float[][] images = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var network = new Network(new Mlp(Inputs, [16], Classes), backend, seed: 6);
            using var scope = new TensorScope();
            var clean = Tensor.From(_clean, Shape.Of(Samples, 2, 2, 3), backend);
            int[] labels = Predictions(network, clean);
            var batch = new AttackBatch(clean, Tensor.From(labels, backend), Tensor.From([.. Enumerable.Range(0, Samples)], backend), labels);
            return new FabAttack().Run(network, batch, Pass.Evaluate, new AttackBudget(0.12f, (ulong)threads)).Images.ToFloats();
        })];
        Assert.That(images[1], Is.EqualTo(images[0]));
        Assert.That(images[2], Is.EqualTo(images[0]));
    }

    [Test]
    public void With_epsilon_zero_and_without_samples_nothing_is_fooled()
    {
        var batch = Batch(_network, _clean);
        var outcome = new FabAttack().Run(_network, batch, Pass.Evaluate, new AttackBudget(0, 0));
        Assert.That(outcome.Fooled, Has.All.False);
        Assert.That(outcome.Images.ToFloats(), Is.EqualTo(_clean));
        Assert.That(new FabAttack().Run(_network, batch.Pick([]), Pass.Evaluate, new AttackBudget(0.1f, 0)).Fooled, Is.Empty);
    }

    [Test]
    public void It_ends_early_where_every_sample_has_fallen_and_reports_what_it_does()
    {
        var batch = Batch(_network, _clean);
        var seen = new List<AttackProgress>();
        new FabAttack(new FabOptions(Iterations: 30)).Run(_network, batch, Pass.Evaluate, new AttackBudget(1, 0), seen.Add);
        Assert.That(seen[0], Is.EqualTo(new AttackProgress(1, 90, 0)), "three other classes");
        Assert.That(seen[^1], Is.EqualTo(new AttackProgress(90, 90, Samples)));
        Assert.That(seen, Has.Count.LessThan(90));
    }

    [Test]
    public void It_stops_between_iterations()
    {
        var batch = Batch(_network, _clean);
        using var source = new CancellationTokenSource();
        int iterations = 0;
        Assert.That(
            () => new FabAttack().Run(_network, batch, Pass.Evaluate, new AttackBudget(0.1f, 0), p =>
            {
                iterations = p.Done;
                if (p.Done == 7)
                    source.Cancel();
            }, source.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(iterations, Is.EqualTo(7));
    }

    [Test]
    public void What_makes_no_sense_is_refused()
    {
        Assert.That(() => new FabAttack(new FabOptions(Iterations: 0)), Throws.ArgumentException.With.Message.Contains("got 0"));
        Assert.That(() => new FabAttack(new FabOptions(Overshoot: 0.9f)), Throws.ArgumentException.With.Message.Contains("got 0.9"));
        Assert.That(() => new FabAttack(new FabOptions(BackwardStep: 2)), Throws.ArgumentException.With.Message.Contains("got 2"));
        Assert.That(
            () => new FabAttack().Run(_network, Batch(_network, _clean), Pass.Train, new AttackBudget(0.1f, 0)),
            Throws.ArgumentException.With.Message.Contains("evaluation mode"));
    }

    private AttackBatch Batch(Network network, float[] clean)
    {
        var images = Tensor.From(clean, Shape.Of(Samples, 2, 2, 3), _backend);
        int[] labels = Predictions(network, images);
        return new AttackBatch(images, Tensor.From(labels, _backend), Tensor.From([.. Enumerable.Range(0, Samples)], _backend), labels);
    }

    private static int[] Predictions(Network network, Tensor images) =>
        [.. network.Apply(images, Pass.Evaluate).ToFloats().Chunk(Classes).Select(z => Array.IndexOf(z, z.Max()))];

    private static bool Fooled(Network network, AttackBatch one, double epsilon, FabAttack? attack = null) =>
        (attack ?? new FabAttack()).Run(network, one, Pass.Evaluate, new AttackBudget((float)epsilon, 0)).Fooled[0];

    private static float[] Row(float[] values, int n) => values[(n * Inputs)..((n + 1) * Inputs)];

    /// <summary>The distance of every sample from the boundary of the linear network, in f64 from its weights; inside the box by bisection.</summary>
    private double[] Radii(AttackBatch batch, bool inBox = false)
    {
        float[] weight = _linear.Parameters[0].Parameter.Value.ToFloats(), bias = _linear.Parameters[1].Parameter.Value.ToFloats(), clean = batch.Clean.ToFloats();
        return [.. Enumerable.Range(0, Samples).Select(n =>
        {
            int y = batch.HostLabels[n];
            return Enumerable.Range(0, Classes).Where(t => t != y).Min(t =>
            {
                double[] w = [.. Enumerable.Range(0, Inputs).Select(j => (double)weight[t * Inputs + j] - weight[y * Inputs + j])];
                double gap = (double)bias[y] - bias[t] - w.Select((v, j) => v * clean[n * Inputs + j]).Sum();
                if (!inBox)
                    return gap / w.Sum(Math.Abs);
                double low = 0, high = 1;
                double Gain(double bound) => w.Select((v, j) => Math.Abs(v) * Math.Min(bound, v > 0 ? 1 - clean[n * Inputs + j] : clean[n * Inputs + j])).Sum();
                for (int i = 0; i < 60; i++)
                    (low, high) = Gain((low + high) / 2) < gap ? ((low + high) / 2, high) : (low, (low + high) / 2);
                return Gain(1) < gap ? double.PositiveInfinity : high;
            });
        })];
    }

    /// <summary>FAB-T for one sample in plain loops; only logits and gradients are the engine's. The projections sort.</summary>
    private (float[] Closest, float Distance) Alone(int n, int label, float epsilon, FabOptions options)
    {
        float[] clean = Row(_clean, n), logits = Logits(clean);
        foreach (int target in Enumerable.Range(0, Classes).Where(c => c != label).OrderByDescending(c => logits[c]))
        {
            float[] x = clean, closest = clean;
            float shortest = float.PositiveInfinity;
            for (int i = 0; i < options.Iterations; i++)
            {
                var (w, z) = (GradientOf(x, label, target), Logits(x));
                double d = z[target] - z[label], ofClean = d + w.Select((v, j) => v * ((double)clean[j] - x[j])).Sum();
                double[] d1 = Project(x, w, d), d2 = Project(clean, w, ofClean);
                double a1 = Math.Max(d1.Max(Math.Abs), 1e-8), a2 = Math.Max(d2.Max(Math.Abs), 1e-8), q = Math.Min(a1 / (a1 + a2), options.MaximumPull);
                float[] from = x;
                x = [.. clean.Select((c, j) => (float)Math.Clamp(
                    (1 - q) * (from[j] + options.Overshoot * d1[j]) + q * (c + options.Overshoot * d2[j]), 0, 1))];
                z = Logits(x);
                if (Array.IndexOf(z, z.Max()) == label)
                    continue;
                float distance = x.Zip(clean, (a, b) => Math.Abs(a - b)).Max();
                if (distance < shortest)
                    (closest, shortest) = (x, distance);
                float[] far = x;
                x = [.. clean.Select((c, j) => c + options.BackwardStep * (far[j] - c))];
            }
            if (shortest <= epsilon)
                return (closest, shortest);
        }
        return (clean, float.PositiveInfinity);
    }

    private static double[] Project(float[] p, float[] w, double residual)
    {
        double[] room = [.. p.Select((v, j) => w[j] * residual > 0 ? v : w[j] == 0 ? 0 : 1 - (double)v)];
        double left = Math.Abs(residual), slope = w.Sum(v => Math.Abs((double)v)), reached = 0, bound = double.PositiveInfinity;
        foreach (int j in Enumerable.Range(0, p.Length).OrderBy(j => room[j]))
        {
            if (slope > 1e-12 && (room[j] - reached) * slope >= left)
            {
                bound = reached + left / slope;
                break;
            }
            left -= (room[j] - reached) * slope;
            slope -= Math.Abs((double)w[j]);
            reached = room[j];
        }
        return [.. p.Select((_, j) => -Math.Sign(w[j] * residual) * Math.Min(bound, room[j]))];
    }

    private float[] GradientOf(float[] x, int label, int target)
    {
        var images = One(x);
        var seed = new float[Classes];
        (seed[target], seed[label]) = (1, -1);
        using var tape = new Tape(images);
        var logits = _network.Apply(images, Pass.Evaluate);
        return tape.Gradient(logits, Tensor.From(seed, Shape.Of(1, Classes), _backend))[images].ToFloats();
    }

    private float[] Logits(float[] x) => _network.Apply(One(x), Pass.Evaluate).ToFloats();

    private Tensor One(float[] x) => Tensor.From(x, Shape.Of(1, 2, 2, 3), _backend);
}
