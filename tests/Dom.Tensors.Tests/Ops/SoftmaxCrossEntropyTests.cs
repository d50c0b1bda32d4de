using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

[TestFixture("reference")]
[TestFixture("cpu")]
public sealed class SoftmaxCrossEntropyTests(string device)
{
    // Five samples of two classes with label 0 and p_y = 0.9, 0.8, 0.5, 0.25, 0.1; the third one's loss is ln 2 to the last bit.
    private static readonly double[] s_probabilities = [0.9, 0.8, 0.5, 0.25, 0.1];
    private static readonly float s_ln2 = (float)Math.Log(2);

    private IBackend _backend = null!;
    private TensorScope _scope = null!;

    [SetUp]
    public void Open()
    {
        _backend = device == "cpu" ? new CpuBackend(2) : new ReferenceBackend();
        _scope = new TensorScope();
    }

    [TearDown]
    public void Close()
    {
        _scope.Dispose();
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, "every tensor must be released");
        _backend.Dispose();
    }

    [TestCase(LossComparison.KeepAbove, 5f, new[] { 0, 0, 0, 0.15, 0.18 })]
    [TestCase(LossComparison.KeepAbove, 0f, new[] { 0, 0, 0, 0.375, 0.45 })]
    [TestCase(LossComparison.KeepAtOrAbove, 5f, new[] { 0, 0, 0.1, 0.15, 0.18 })]
    [TestCase(LossComparison.KeepAtOrAbove, 0f, new[] { 0, 0, 0.5 / 3, 0.25, 0.3 })]
    [TestCase(LossComparison.KeepAll, 0f, new[] { 0.02, 0.04, 0.1, 0.15, 0.18 })]
    public void Dom_removes_the_samples_below_the_threshold_and_divides_by_the_batch_or_by_the_kept_ones(
        LossComparison comparison, float divisor, double[] gradientOfTheOtherClass)
    {
        var step = SoftmaxCrossEntropy.Step(
            FiveLogits(), Labels(new int[5]), null, null, comparison: comparison, threshold: s_ln2, divisor: divisor);
        float[] dlogits = step.DLogits!.ToFloats();
        Assert.Multiple(() =>
        {
            Assert.That(step.Losses.ToFloats(), Is.EqualTo(s_probabilities.Select(p => -Math.Log(p))).Within(1e-6));
            Assert.That(step.Keep?.ToFloats() ?? [1, 1, 1, 1, 1], Is.EqualTo(gradientOfTheOtherClass.Select(g => g > 0 ? 1f : 0f)));
            Assert.That(dlogits.Where((_, i) => i % 2 == 1), Is.EqualTo(gradientOfTheOtherClass).Within(1e-6));
            Assert.That(dlogits.Where((_, i) => i % 2 == 0), Is.EqualTo(gradientOfTheOtherClass.Select(g => -g)).Within(1e-6));
        });
    }

    [Test]
    public void A_batch_of_which_nothing_is_kept_has_gradient_zero_whatever_the_divisor([Values(0f, 5f)] float divisor)
    {
        var step = SoftmaxCrossEntropy.Step(
            FiveLogits(), Labels(new int[5]), null, null, comparison: LossComparison.KeepAbove, threshold: 100, divisor: divisor);
        Assert.That(step.DLogits!.ToFloats(), Is.All.Zero);
    }

    [Test]
    public void The_fused_gradient_equals_the_gradient_of_the_tape()
    {
        const int Rows = 33, Classes = 17;
        var logits = Tensor.From(Numbers(Rows * Classes, 0, 4), Shape.Of(Rows, Classes), _backend);
        var labels = Labels(Enumerable.Range(0, Rows).Select(n => n * 5 % Classes).ToArray());
        var weights = Tensor.From(Numbers(Rows, 1, 1), Shape.Of(Rows), _backend);

        var step = SoftmaxCrossEntropy.Step(
            logits, labels, null, null, weights, comparison: LossComparison.KeepAtOrAbove, threshold: 2.5f);
        using var tape = new Tape(logits);
        var losses = SoftmaxCrossEntropy.PerSample(logits, labels);
        float[] keep = step.Keep!.ToFloats(), w = weights.ToFloats();
        var seed = Tensor.From(keep.Select((k, n) => k * w[n] / Rows).ToArray(), Shape.Of(Rows), _backend);
        var dlogits = tape.Gradient(losses, seed)[logits];

        Assert.Multiple(() =>
        {
            Assert.That(keep, Has.Some.EqualTo(0f).And.Some.EqualTo(1f), "the threshold must cut the batch");
            Assert.That(step.Losses.ToFloats(), Is.EqualTo(losses.ToFloats()));
            Assert.That(step.DLogits!.ToFloats(), Is.EqualTo(dlogits.ToFloats()).Within(1e-8));
        });
    }

    [Test]
    public void Ledger_rows_land_at_the_sample_ids_and_the_other_rows_stay()
    {
        var ledger = Filled.Create(Shape.Of(7, LedgerRow.Count), -7, _backend);
        var logits = Tensor.From([1, 3, 0.5f, 2, 2, -1], Shape.Of(2, 3), _backend);
        SoftmaxCrossEntropy.Step(logits, Labels([1, 1]), Tensor.From([5, 2], _backend), ledger, wantsGradient: false);

        var rows = ledger.ToFloats().Chunk(LedgerRow.Count).ToArray();
        double e = Math.E, sum = e + e * e * e + Math.Sqrt(e);
        double p = e * e * e / sum, norm = Math.Sqrt((1 - p) * (1 - p) + (e * e + e) / (sum * sum));
        double tied = 1 / (2 + Math.Exp(-3)), tiedNorm = Math.Sqrt((1 - tied) * (1 - tied) + tied * tied * (1 + Math.Exp(-6)));
        Assert.Multiple(() =>
        {
            Assert.That(rows[5], Is.EqualTo(new[] { -Math.Log(p), p, 2, norm, 1, 1 }).Within(1e-6), "label 1, class 1 predicted");
            Assert.That(rows[2], Is.EqualTo(new[] { -Math.Log(tied), tied, 0, tiedNorm, 0, 0 }).Within(1e-6), "a tie goes to the first class");
            foreach (int other in (int[])[0, 1, 3, 4, 6])
                Assert.That(rows[other], Is.All.EqualTo(-7f), $"row {other} is not in the batch");
        });
    }

    [Test]
    public void The_loss_of_a_memorized_sample_keeps_its_digits()
    {
        var logits = Tensor.From([20, 0], Shape.Of(1, 2), _backend);
        float loss = SoftmaxCrossEntropy.PerSample(logits, Labels([0])).ToFloats()[0];
        Assert.That(loss, Is.EqualTo(Math.Exp(-20)).Within(1e-5).Percent, "log(1 + e^-20), where 1 + e^-20 is 1 in f32");
    }

    [Test]
    public void A_nan_logit_gives_a_nan_loss_that_no_threshold_keeps_and_that_moves_nothing_else()
    {
        var logits = Tensor.From([float.NaN, 1, 0, 0], Shape.Of(2, 2), _backend);
        var ledger = Filled.Create(Shape.Of(2, LedgerRow.Count), 9, _backend);
        var step = SoftmaxCrossEntropy.Step(
            logits, Labels([1, 1]), Tensor.From([0, 1], _backend), ledger, comparison: LossComparison.KeepAtOrAbove);
        Assert.Multiple(() =>
        {
            Assert.That(step.Losses.ToFloats()[0], Is.NaN);
            Assert.That(step.Keep!.ToFloats(), Is.EqualTo(new[] { 0f, 1f }));
            Assert.That(step.DLogits!.ToFloats(), Is.EqualTo(new[] { 0, 0, 0.25f, -0.25f }));
            Assert.That(ledger.ToFloats()[..6], Is.EqualTo(new[] { float.NaN, float.NaN, float.NaN, float.NaN, 0, -1 }));
        });
    }

    [Test]
    public void PyTorch_finds_the_same_losses_and_gradients()
    {
        const int Rows = 19, Classes = 10;
        float[] values = Numbers(Rows * Classes, 2, 6), seedValues = Numbers(Rows, 3, 1);
        var expected = TorchOracle.Ask("""
            z = x[:190].reshape(19, 10).requires_grad_(True)
            losses = torch.nn.functional.cross_entropy(z, torch.arange(19) % 10, reduction='none')
            losses.backward(x[190:])
            y = torch.cat([losses, z.grad.flatten()])
            """, [.. values, .. seedValues]);

        var logits = Tensor.From(values, Shape.Of(Rows, Classes), _backend);
        using var tape = new Tape(logits);
        var losses = SoftmaxCrossEntropy.PerSample(logits, Labels(Enumerable.Range(0, Rows).Select(n => n % 10).ToArray()));
        var dlogits = tape.Gradient(losses, Tensor.From(seedValues, Shape.Of(Rows), _backend))[logits];

        Assert.That(losses.ToFloats().Concat(dlogits.ToFloats()), Is.EqualTo(expected).Within(2e-6));
    }

    [Test]
    public void Shapes_that_do_not_fit_are_named()
    {
        var logits = FiveLogits();
        var labels = Labels(new int[5]);
        var ledger = Filled.Create(Shape.Of(5, 4), 0, _backend);
        Assert.Multiple(() =>
        {
            Assert.That(() => SoftmaxCrossEntropy.PerSample(logits, Labels([0, 0])), Throws.TypeOf<ShapeException>().With.Message.Contains("i32 [5]"));
            Assert.That(() => SoftmaxCrossEntropy.PerSample(labels, labels), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, C]"));
            Assert.That(() => SoftmaxCrossEntropy.Step(logits, labels, labels, ledger),
                Throws.TypeOf<ShapeException>().With.Message.Contains("[samples, 6]").And.Message.Contains("[5, 4]"));
            Assert.That(() => SoftmaxCrossEntropy.Step(logits, labels, null, Filled.Create(Shape.Of(5, 6), 0, _backend)),
                Throws.ArgumentException.With.Message.Contains("sample ids"));
            Assert.That(() => SoftmaxCrossEntropy.Step(logits, labels, null, null, divisor: -1), Throws.ArgumentException.With.Message.Contains("-1"));
        });
    }

    private Tensor FiveLogits() => Tensor.From(
        s_probabilities.SelectMany(p => (float[])[(float)Math.Log(p / (1 - p)), 0]).ToArray(), Shape.Of(5, 2), _backend);

    private Tensor Labels(int[] labels) => Tensor.From(labels, _backend);

    private static float[] Numbers(int count, int step, float reach)
    {
        var stream = RandomStream.For(11, RandomPurpose.Test, step: step);
        return Enumerable.Range(0, count).Select(i => reach * (2 * stream.Uniform(i) - 1)).ToArray();
    }
}
