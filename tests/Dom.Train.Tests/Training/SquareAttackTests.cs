using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Training;

public sealed class SquareAttackTests
{
    private const int Samples = 24, Size = 6, Channels = 3, Inputs = Size * Size * Channels, Classes = 3;
    private const float Epsilon = 0.04f;

    private static readonly AttackBudget s_budget = new(Epsilon, 5);

    private CpuBackend _backend = null!;
    private Network _network = null!;
    private TensorScope _scope = null!;
    private float[] _clean = null!;

    [SetUp]
    public void Open()
    {
        _backend = new CpuBackend(2);
        _network = new Network(new Mlp(Inputs, [16], Classes), _backend, seed: 6);
        _scope = new TensorScope();
        var random = RandomStream.For(1, RandomPurpose.Test);
        _clean = [.. Enumerable.Range(0, Samples * Inputs).Select(i => random.Uniform(i))];
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
    public void Every_sample_ends_where_the_search_written_out_ends()
    {
        var options = new SquareOptions(Queries: 300);
        var batch = Batch();
        var outcome = new SquareAttack(options).Run(_network, batch, Pass.Evaluate, s_budget);
        float[] images = outcome.Images.ToFloats();
        int[] ids = batch.SampleIds.ToArray<int>(), queries = new int[Samples];
        for (int n = 0; n < Samples; n++)
        {
            var (best, margin) = Alone(n, ids[n], batch.HostLabels[n], options, ref queries[n]);
            Assert.That(outcome.Fooled[n], Is.EqualTo(margin < 0), $"sample {n}: {margin}");
            Assert.That(Row(images, n), Is.EqualTo(margin < 0 ? best : Row(_clean, n)).Within(1e-6), $"sample {n}");
        }
        TestContext.Out.WriteLine($"{outcome.Fooled.Count(f => f)} of {Samples} fooled; queries: {string.Join(" ", queries)}");
        Assert.That(queries, Has.Some.EqualTo(0), "fooled by the stripes");
        Assert.That(queries, Has.Some.InRange(20, 299), "fooled on the way");
        Assert.That(queries, Has.Some.EqualTo(300), "never fooled");
    }

    [Test]
    public void A_window_is_kept_where_the_margin_falls_and_only_there()
    {
        // Margins by query: the start, then three queries of which the first and the last lower the margin and the second leaves it equal. What is asked next tells what was kept.
        float[] script = [5, 3, 3, 2, 4, 1];
        var seen = new List<float[]>();
        using var network = new Network(
            new ScriptedModel(image =>
            {
                seen.Add(image);
                return script[seen.Count - 1];
            }), _backend, seed: 0);
        float[] clean = [.. Enumerable.Repeat(0.5f, Inputs)];
        new SquareAttack(new SquareOptions(script.Length - 1)).Run(network, One(clean, 9), Pass.Evaluate, s_budget);
        Assert.That(seen, Has.Count.EqualTo(script.Length));
        float[] best = seen[0];
        for (int query = 0; query < script.Length - 1; query++)
        {
            float[] expected = Moved(best, clean, query, new SquareOptions());
            Assert.That(seen[query + 1], Is.EqualTo(expected).Within(1e-7), $"query {query}");
            if (query is 0 or 2 or 4)
                best = expected;
        }
    }

    [Test]
    public void Rows_whose_margin_is_zero_or_below_are_not_asked_about_any_more()
    {
        // Dark images fall at the third question, grey ones never; the white one is fooled by the stripes.
        var asked = new Dictionary<int, int>();
        using var network = new Network(
            new ScriptedModel(image =>
            {
                int kind = (int)Math.Round(4 * image.Average());
                asked[kind] = asked.GetValueOrDefault(kind) + 1;
                return kind == 4 ? -1 : kind == 1 && asked[kind] >= 3 ? -0.5f : 1;
            }), _backend, seed: 0);
        float[] clean = [.. new[] { 0.25f, 0.5f, 1 }.SelectMany(v => Enumerable.Repeat(v, Inputs))];
        var batch = new AttackBatch(
            Tensor.From(clean, Shape.Of(3, Size, Size, Channels), _backend), Tensor.From([0, 0, 0], _backend), Tensor.From([0, 1, 2], _backend), [0, 0, 0]);
        var outcome = new SquareAttack(new SquareOptions(10)).Run(network, batch, Pass.Evaluate, s_budget);
        Assert.That(outcome.Fooled, Is.EqualTo(new[] { true, false, true }));
        Assert.That(asked, Is.EquivalentTo(new Dictionary<int, int> { [1] = 3, [2] = 11, [4] = 1 }));
        Assert.That(Row(outcome.Images.ToFloats(), 1), Is.EqualTo(Row(clean, 1)));
    }

    [Test]
    public void Every_pixel_that_is_asked_about_lies_on_the_ball_or_on_the_box()
    {
        float[] clean = Row(_clean, 0);
        int questions = 0;
        using var network = new Network(
            new ScriptedModel(image =>
            {
                for (int i = 0; i < Inputs; i++)
                    Assert.That(image[i], Is.EqualTo(Math.Max(clean[i] - Epsilon, 0)).Within(1e-7).Or.EqualTo(Math.Min(clean[i] + Epsilon, 1)).Within(1e-7));
                return 1000 - questions++ % 7; // some windows are kept
            }), _backend, seed: 0);
        new SquareAttack(new SquareOptions(200)).Run(network, One(clean, 3), Pass.Evaluate, s_budget);
        Assert.That(questions, Is.EqualTo(201));
    }

    [TestCase(0.99, 1500, true)]
    [TestCase(1.0001, 1500, false)]
    public void On_a_linear_network_it_comes_close_to_the_worst_case_that_it_can_reach(double margin, int queries, bool isFooled)
    {
        // The margin is b + <w, x>. In the last row and the last column, which no window covers, stripes stay; all other pixels can lower it by epsilon |w_i|.
        const int Id = 11;
        using var network = new Network(new Mlp(Inputs, [], 2), _backend, seed: 3);
        float[] clean = [.. Row(_clean, 0).Select(c => 0.3f + 0.4f * c)], weight = network.Parameters[0].Parameter.Value.ToFloats();
        double[] w = [.. Enumerable.Range(0, Inputs).Select(j => (double)weight[j] - weight[Inputs + j])];
        var stripes = s_budget.Stream(EvaluationAttackKind.Square).ForSample(Id);
        double worst = Epsilon * w.Select((v, i) =>
            i / (Size * Channels) < Size - 1 && i / Channels % Size < Size - 1 ? -Math.Abs(v) : stripes.Uniform(i % (Size * Channels)) >= 0.5f ? v : -v).Sum();
        double bias = -margin * worst - w.Select((v, j) => v * clean[j]).Sum();
        network.Parameters[1].Parameter.Value.CopyFrom([(float)bias, 0f]);
        int last = 0;
        var outcome = new SquareAttack(new SquareOptions(queries)).Run(
            network, One(clean, Id), Pass.Evaluate, s_budget, p => last = p.Fooled == 0 ? p.Done : last);
        TestContext.Out.WriteLine(
            $"within reach: {worst / (-Epsilon * w.Sum(Math.Abs)):P0} of the ball's worst case; {margin:P2} of that {(outcome.Fooled[0] ? $"by query {last + 1}" : "never")}");
        Assert.That(outcome.Fooled[0], Is.EqualTo(isFooled));
    }

    [Test]
    public void Images_are_adversarial_and_in_the_ball_where_it_says_so_and_clean_elsewhere()
    {
        var batch = Batch();
        var outcome = new SquareAttack(new SquareOptions(200)).Run(_network, batch, Pass.Evaluate, s_budget);
        float[] images = outcome.Images.ToFloats();
        int[] predictions = Predictions(outcome.Images);
        Assert.That(images, Has.All.InRange(0f, 1f));
        for (int n = 0; n < Samples; n++)
        {
            Assert.That(predictions[n] != batch.HostLabels[n], Is.EqualTo(outcome.Fooled[n]), $"sample {n}");
            float distance = Row(images, n).Zip(Row(_clean, n), (a, b) => Math.Abs(a - b)).Max();
            Assert.That(distance, outcome.Fooled[n] ? Is.EqualTo(Epsilon).Within(1e-6) : Is.Zero, $"sample {n}");
        }
    }

    [Test]
    public void A_sample_gets_the_same_result_in_any_batch()
    {
        var batch = Batch();
        var attack = new SquareAttack(new SquareOptions(200));
        var together = attack.Run(_network, batch, Pass.Evaluate, s_budget);
        int[] order = [.. Enumerable.Range(0, Samples).Reverse().Where(n => n % 3 != 1)];
        var apart = attack.Run(_network, batch.Pick(order), Pass.Evaluate, s_budget);
        float[] images = together.Images.ToFloats(), others = apart.Images.ToFloats();
        for (int i = 0; i < order.Length; i++)
        {
            Assert.That(apart.Fooled[i], Is.EqualTo(together.Fooled[order[i]]));
            Assert.That(Row(others, i), Is.EqualTo(Row(images, order[i])).Within(1e-6));
        }
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits_and_another_seed_others()
    {
        float[][] images = [.. new[] { 1, 2, 3, 1 }.Select((threads, i) =>
        {
            using var backend = new CpuBackend(threads);
            using var network = new Network(new Mlp(Inputs, [16], Classes), backend, seed: 6);
            using var scope = new TensorScope();
            var clean = Tensor.From(_clean, Shape.Of(Samples, Size, Size, Channels), backend);
            int[] labels = Batch().HostLabels;
            var batch = new AttackBatch(clean, Tensor.From(labels, backend), Tensor.From([.. Enumerable.Range(0, Samples)], backend), labels);
            return new SquareAttack(new SquareOptions(100)).Run(network, batch, Pass.Evaluate, s_budget with { Seed = i < 3 ? 5u : 6u }).Images.ToFloats();
        })];
        Assert.That(images[1], Is.EqualTo(images[0]));
        Assert.That(images[2], Is.EqualTo(images[0]));
        Assert.That(images[3], Is.Not.EqualTo(images[0]));
    }

    [Test]
    public void With_epsilon_zero_and_without_samples_nothing_is_fooled()
    {
        var batch = Batch();
        var outcome = new SquareAttack().Run(_network, batch, Pass.Evaluate, s_budget with { Epsilon = 0 });
        Assert.That(outcome.Fooled, Has.All.False);
        Assert.That(outcome.Images.ToFloats(), Is.EqualTo(_clean));
        Assert.That(new SquareAttack().Run(_network, batch.Pick([]), Pass.Evaluate, s_budget).Fooled, Is.Empty);
    }

    [Test]
    public void It_ends_where_nothing_is_left_to_attack()
    {
        var seen = new List<AttackProgress>();
        using var network = new Network(new ScriptedModel(_ => -1), _backend, seed: 0);
        var batch = Batch() with { Labels = Tensor.From(new int[Samples], _backend), HostLabels = new int[Samples] };
        var outcome = new SquareAttack().Run(network, batch, Pass.Evaluate, s_budget, seen.Add);
        Assert.That(outcome.Fooled, Has.All.True, "by the stripes");
        Assert.That(seen, Is.EqualTo(new[] { new AttackProgress(5000, 5000, Samples) }));
    }

    [Test]
    public void It_reports_every_query_and_stops_between_two()
    {
        using var network = new Network(new ScriptedModel(_ => 1), _backend, seed: 0);
        using var source = new CancellationTokenSource();
        var seen = new List<AttackProgress>();
        Assert.That(
            () => new SquareAttack().Run(network, One(Row(_clean, 0), 0), Pass.Evaluate, s_budget, p =>
            {
                seen.Add(p);
                if (p.Done == 3)
                    source.Cancel();
            }, source.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(seen, Is.EqualTo(new[] { 1, 2, 3 }.Select(done => new AttackProgress(done, 5000, 0))));
    }

    [Test]
    public void Images_that_are_not_square_are_attacked_too()
    {
        using var network = new Network(new Mlp(4 * 10 * 3, [16], Classes), _backend, seed: 6);
        float[] clean = _clean[..(Samples / 2 * 120)];
        var images = Tensor.From(clean, Shape.Of(Samples / 2, 4, 10, 3), _backend);
        int[] labels = [.. network.Apply(images, Pass.Evaluate).ToFloats().Chunk(Classes).Select(z => Array.IndexOf(z, z.Max()))];
        var batch = new AttackBatch(images, Tensor.From(labels, _backend), Tensor.From([.. Enumerable.Range(0, Samples / 2)], _backend), labels);
        var outcome = new SquareAttack(new SquareOptions(300)).Run(network, batch, Pass.Evaluate, s_budget);
        Assert.That(outcome.Fooled, Has.Some.True);
        Assert.That(outcome.Images.ToFloats().Zip(clean, (a, b) => Math.Abs(a - b)), Has.All.LessThanOrEqualTo(Epsilon + 1e-6f));
    }

    [Test]
    public void What_makes_no_sense_is_refused()
    {
        Assert.That(() => new SquareAttack(new SquareOptions(0)), Throws.ArgumentException.With.Message.Contains("got 0"));
        Assert.That(() => new SquareAttack(new SquareOptions(InitialShare: 1.5)), Throws.ArgumentException.With.Message.Contains("got 1.5"));
        Assert.That(() => new SquareAttack().Run(_network, Batch(), Pass.Train, s_budget), Throws.ArgumentException.With.Message.Contains("evaluation mode"));
    }

    /// <summary>Images, classified correctly, with ids out of order.</summary>
    private AttackBatch Batch()
    {
        var images = Tensor.From(_clean, Shape.Of(Samples, Size, Size, Channels), _backend);
        int[] labels = Predictions(images);
        return new AttackBatch(images, Tensor.From(labels, _backend), Tensor.From(RandomStream.For(2, RandomPurpose.Test).Permutation(Samples), _backend), labels);
    }

    private AttackBatch One(float[] clean, int id) =>
        new(Tensor.From(clean, Shape.Of(1, Size, Size, Channels), _backend), Tensor.From([0], _backend), Tensor.From([id], _backend), [0]);

    private int[] Predictions(Tensor images) => [.. _network.Apply(images, Pass.Evaluate).ToFloats().Chunk(Classes).Select(z => Array.IndexOf(z, z.Max()))];

    private static float[] Row(float[] values, int n) => values[(n * Inputs)..((n + 1) * Inputs)];

    /// <summary>Square for one sample in plain loops; only logits are the engine's.</summary>
    private (float[] Best, float Margin) Alone(int n, int id, int label, SquareOptions options, ref int queries)
    {
        float[] clean = Row(_clean, n);
        var stripes = s_budget.Stream(EvaluationAttackKind.Square).ForSample(id);
        float[] best = [.. clean.Select((c, i) => Math.Clamp(c + (stripes.Uniform(i % (Size * Channels)) >= 0.5f ? Epsilon : -Epsilon), 0, 1))];
        float margin = Margin(best, label);
        for (int query = 0; query < options.Queries && margin > 0; query++, queries++)
        {
            float[] candidate = Moved(best, clean, query, options);
            float found = Margin(candidate, label);
            if (found < margin || found <= 0)
                (best, margin) = (candidate, found);
        }
        return (best, margin);
    }

    /// <summary>The image of a query: a window goes to one side of the ball.</summary>
    private static float[] Moved(float[] from, float[] clean, int query, SquareOptions options)
    {
        var stream = s_budget.Stream(EvaluationAttackKind.Square, query + 1);
        int side = SquareSchedule.Side(SquareSchedule.Share(options.InitialShare, query), Size, Size);
        int top = (int)Math.Floor((double)stream.Uniform(0) * (Size - side)), left = (int)Math.Floor((double)stream.Uniform(1) * (Size - side));
        float[] moved = [.. from];
        for (int h = top; h < top + side; h++)
            for (int w = left; w < left + side; w++)
                for (int c = 0; c < Channels; c++)
                {
                    int i = (h * Size + w) * Channels + c;
                    float sign = stream.Uniform(2 + c) >= 0.5f ? 1 : -1;
                    moved[i] = Math.Clamp(Math.Clamp(from[i] + 2 * Epsilon * sign, clean[i] - Epsilon, clean[i] + Epsilon), 0, 1);
                }
        return moved;
    }

    private float Margin(float[] x, int label)
    {
        float[] logits = _network.Apply(Tensor.From(x, Shape.Of(1, Size, Size, Channels), _backend), Pass.Evaluate).ToFloats();
        return logits[label] - logits.Where((_, c) => c != label).Max();
    }
}
