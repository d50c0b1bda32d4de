using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Attacks;

public sealed class ApgdTests
{
    private const int Inputs = AttackBench.Inputs;
    private const float Epsilon = 0.05f;

    private static readonly AttackBudget s_budget = new(Epsilon, 9);

    [Test]
    public void The_start_is_uniform_noise_whose_largest_change_is_epsilon()
    {
        using var bench = new AttackBench(5, [16], low: 0.2f, high: 0.8f);
        using var scope = new TensorScope();
        var stream = s_budget.Stream(EvaluationAttackKind.ApgdCe);
        float[] start = Apgd.RandomStart(bench.Batch, Epsilon, stream).ToFloats();
        for (int n = 0; n < bench.Labels.Length; n++)
        {
            double[] u = [.. Enumerable.Range(0, Inputs).Select(j => 2.0 * stream.ForSample(bench.Ids[n]).Uniform(j) - 1)];
            for (int j = 0; j < Inputs; j++)
                Assert.That(start[n * Inputs + j], Is.EqualTo(bench.Clean[n * Inputs + j] + Epsilon * u[j] / u.Max(Math.Abs)).Within(1e-6));
        }
    }

    [TestCase(20)]
    [TestCase(100)]
    public void Every_sample_goes_the_way_that_the_algorithm_written_out_for_it_alone_goes(int iterations)
    {
        using var bench = new AttackBench(5, [16]);
        var outcome = new ApgdCe(iterations: iterations).Run(bench.Network, bench.Batch, Pass.Evaluate, s_budget);
        bench.AssertSound(outcome, Epsilon);
        Assert.That(outcome.Fooled, Has.Some.True.And.Some.False);
        float[] images = outcome.Images.ToFloats();
        int resets = 0;
        for (int n = 0; n < bench.Labels.Length; n++)
            Assert.That(images[(n * Inputs)..((n + 1) * Inputs)], Is.EqualTo(Alone(bench, n, iterations, ref resets)), $"sample {n}");
        TestContext.Out.WriteLine($"{outcome.Fooled.Count(f => f)} of {bench.Labels.Length} fooled, {resets} steps halved");
        Assert.That(resets, Is.Positive);
    }

    /// <summary>Section 3 of the paper with the authors' conventions, for one sample, in plain loops over floats.</summary>
    private static float[] Alone(AttackBench bench, int n, int iterations, ref int resets)
    {
        using var scope = new TensorScope();
        var clean = bench.Clean[(n * Inputs)..((n + 1) * Inputs)];
        var one = bench.Batch.Pick([n]);
        var x = Apgd.RandomStart(one, Epsilon, s_budget.Stream(EvaluationAttackKind.ApgdCe)).ToFloats();
        float[] adversarial = clean, previous = x, best = x, gradient = Gradient(x), bestGradient = gradient;
        float highest = Loss(x), step = 2 * Epsilon, highestBefore = highest;
        var losses = new float[iterations];
        bool halvedBefore = true;
        int period = Math.Max((int)(0.22 * iterations), 1), since = 0;
        for (int i = 0; i < iterations; i++)
        {
            float a = i == 0 ? 1 : 0.75f;
            var next = new float[Inputs];
            for (int j = 0; j < Inputs; j++)
            {
                float z = Projected(x[j] + step * MathF.Sign(gradient[j]), clean[j]);
                next[j] = Projected(x[j] + a * (z - x[j]) + (1 - a) * (x[j] - previous[j]), clean[j]);
            }
            (previous, x) = (x, next);
            gradient = Gradient(x);
            losses[i] = Loss(x);
            if (bench.Logits(One(x))[0] is var logits && Array.IndexOf(logits, logits.Max()) != bench.Labels[n])
                adversarial = x;
            if (losses[i] > highest)
                (highest, best, bestGradient) = (losses[i], x, gradient);
            if (++since < period)
                continue;
            int rises = 0;
            for (int back = 0; back < period; back++)
                rises += losses[i - back] > losses[(i - back - 1 + iterations) % iterations] ? 1 : 0;
            bool halves = rises <= 0.75 * period || (!halvedBefore && highestBefore >= highest);
            (halvedBefore, highestBefore, since) = (halves, highest, 0);
            period = Math.Max(period - Math.Max((int)(0.03 * iterations), 1), Math.Max((int)(0.06 * iterations), 1));
            if (!halves)
                continue;
            (step, x, gradient) = (step / 2, best, bestGradient);
            resets++;
        }
        return adversarial;

        Tensor One(float[] values) => Tensor.From(values, Shape.Of(1, 2, 2, 3), bench.Backend);
        float Loss(float[] at) => SoftmaxCrossEntropy.PerSample(bench.Network.Apply(One(at), Pass.Evaluate), one.Labels).ToFloats()[0];
        float[] Gradient(float[] at) => Attack.InputGradient(bench.Network, One(at), one.Labels, one.SampleIds, Pass.Evaluate).ToFloats();
    }

    private static float Projected(float v, float clean) => Math.Clamp(Math.Clamp(v, clean - Epsilon, clean + Epsilon), 0, 1);

    [Test]
    public void Neither_the_batch_nor_the_threads_change_what_happens_to_a_sample([Values(EvaluationAttackKind.ApgdCe, EvaluationAttackKind.ApgdT)] EvaluationAttackKind kind)
    {
        using var one = new AttackBench(5, [16], threads: 1);
        using var three = new AttackBench(5, [16], threads: 3);
        var expected = Run(one, one.Batch);
        Assert.That(Run(three, three.Batch).Images.ToFloats(), Is.EqualTo(expected.Images.ToFloats()), "threads");
        int[] rows = [31, 7, 8, 2];
        var few = Run(one, one.Batch.Pick(rows));
        Assert.That(few.Fooled, Is.EqualTo(rows.Select(n => expected.Fooled[n])));
        Assert.That(few.Images.ToFloats(), Is.EqualTo(rows.SelectMany(n => expected.Images.ToFloats()[(n * Inputs)..((n + 1) * Inputs)])), "batch");

        AttackOutcome Run(AttackBench bench, AttackBatch batch) => Options.Create(kind).Run(bench.Network, batch, Pass.Evaluate, s_budget);
    }

    [Test]
    public void Another_seed_is_another_start()
    {
        using var bench = new AttackBench(5, [16]);
        Assert.That(new ApgdCe().Run(bench.Network, bench.Batch, Pass.Evaluate, s_budget with { Seed = 10 }).Images.ToFloats(),
            Is.Not.EqualTo(new ApgdCe().Run(bench.Network, bench.Batch, Pass.Evaluate, s_budget).Images.ToFloats()));
    }

    [Test]
    public void With_epsilon_zero_nobody_is_fooled([Values(EvaluationAttackKind.ApgdCe, EvaluationAttackKind.ApgdT)] EvaluationAttackKind kind)
    {
        using var bench = new AttackBench(5, [16]);
        var outcome = Options.Create(kind).Run(bench.Network, bench.Batch, Pass.Evaluate, new AttackBudget(0, 1));
        Assert.That(outcome.Fooled, Has.None.True);
        Assert.That(outcome.Images.ToFloats(), Is.EqualTo(bench.Clean));
    }

    [Test]
    public void Targets_are_the_next_likely_classes_one_after_the_other()
    {
        using var bench = new AttackBench(5, [16]);
        using var scope = new TensorScope();
        var ranked = TargetClasses.Of(bench.Network, bench.Batch.Clean, Pass.Evaluate);
        var logits = bench.Logits(bench.Batch.Clean);
        Assert.That(ranked.TargetCount, Is.EqualTo(4), "one less than there are classes");
        for (int n = 0; n < bench.Labels.Length; n++)
        {
            Assert.That(ranked.Targets[n].Prepend(bench.Labels[n]), Is.EquivalentTo(Enumerable.Range(0, 5)));
            Assert.That(ranked.Targets[n].Select(t => logits[n][t]), Is.Ordered.Descending);
        }
        var seen = new List<AttackProgress>();
        new ApgdT(iterations: 3).Run(bench.Network, bench.Batch, Pass.Evaluate, s_budget, seen.Add);
        Assert.That(seen.Select(p => p.Fooled), Is.Ordered);
        Assert.That(seen.Select(p => (p.Done, p.Total)), Is.EqualTo(Enumerable.Range(1, 12).Select(i => (i, 12))));
    }

    [Test]
    public void A_ratio_of_logits_with_three_classes_is_refused_and_the_margin_offered()
    {
        using var bench = new AttackBench(3, [16]);
        Assert.That(() => new ApgdT().Run(bench.Network, bench.Batch, Pass.Evaluate, s_budget),
            Throws.TypeOf<TooFewClassesException>().With.Message.Contains("the network has 3").And.Message.Contains("--attack-loss margin"));
        bench.AssertSound(new ApgdT(ApgdLoss.TargetedMargin).Run(bench.Network, bench.Batch, Pass.Evaluate, s_budget), Epsilon);
    }

    [Test]
    public void A_network_that_is_not_in_evaluation_mode_is_refused()
    {
        using var bench = new AttackBench(5, [16]);
        Assert.That(() => new ApgdCe().Run(bench.Network, bench.Batch, Pass.Train, s_budget), Throws.ArgumentException.With.Message.Contains("evaluation mode"));
    }

    [Test]
    public void Starts_without_a_gradient_are_counted()
    {
        using var bench = new AttackBench(5, [16]);
        var first = bench.Network.Parameters[0].Parameter.Value;
        first.CopyFrom(new float[first.Count]); // the image no longer reaches the logits
        var biased = bench.Logits(bench.Batch.Clean)[0];
        var batch = bench.Batch with { HostLabels = [.. bench.Labels.Select(_ => Array.IndexOf(biased, biased.Max()))] };
        batch = batch with { Labels = Tensor.From(batch.HostLabels, bench.Backend) };
        Assert.That(new ApgdT(iterations: 2).Run(bench.Network, batch, Pass.Evaluate, s_budget).ZeroGradients, Is.EqualTo(bench.Labels.Length));
    }

    [Test]
    public void It_stops_when_it_is_canceled()
    {
        using var bench = new AttackBench(5, [16]);
        using var source = new CancellationTokenSource();
        Assert.That(() => new ApgdT().Run(bench.Network, bench.Batch, Pass.Evaluate, s_budget, _ => source.Cancel(), source.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private static AutoAttackOptions Options => new() { Budget = s_budget };
}
