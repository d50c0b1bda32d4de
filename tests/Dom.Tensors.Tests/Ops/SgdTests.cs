using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

[TestFixture("reference")]
[TestFixture("cpu")]
public sealed class SgdTests(string device)
{
    private const int Count = 1003, Steps = 3;

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
        _backend.Dispose();
    }

    [TestCase(0f, 0f, false)]
    [TestCase(0f, 0.1f, false)]
    [TestCase(0.9f, 5e-4f, false)]
    [TestCase(0.9f, 0.1f, true)]
    public void Three_steps_equal_the_formula_in_double(float factor, float decay, bool nesterov)
    {
        double[] p = Array.ConvertAll(Numbers(0), v => (double)v), m = new double[Count];
        for (int step = 1; step <= Steps; step++)
        {
            float[] g = Numbers(step);
            for (int i = 0; i < Count; i++)
            {
                double gradient = g[i] + decay * p[i];
                m[i] = factor * m[i] + gradient;
                p[i] -= 0.1 * (nesterov ? gradient + factor * m[i] : m[i]);
            }
        }
        Assert.That(Run(factor, decay, nesterov), Is.EqualTo(p).Within(1e-6));
    }

    [Test]
    public void PyTorch_takes_the_same_steps([Values] bool nesterov)
    {
        float[] expected = TorchOracle.Ask($"""
            p, g = x[:{Count}].clone(), x[{Count}:].reshape({Steps}, {Count})
            p.requires_grad_(True)
            sgd = torch.optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.05, nesterov={(nesterov ? "True" : "False")})
            for step in g:
                p.grad = step.clone()
                sgd.step()
            y = p
            """, [.. Enumerable.Range(0, Steps + 1).SelectMany(Numbers)]);
        Assert.That(Run(0.9f, 0.05f, nesterov), Is.EqualTo(expected).Within(1e-6));
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits()
    {
        float[][] results = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var scope = new TensorScope();
            var stream = RandomStream.For(4, RandomPurpose.Test);
            float[] values = [.. Enumerable.Range(0, 100_003).Select(i => stream.Uniform(i))];
            var p = Tensor.From(values, Shape.Of(values.Length), backend);
            var m = Filled.Create(p.Shape, 0.5f, backend);
            Sgd.Step(p, Tensor.From(values, p.Shape, backend), m, 0.1f, 0.9f, 5e-4f, nesterov: true);
            return (float[])[.. p.ToFloats(), .. m.ToFloats()];
        })];
        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    [TestCase(float.NegativeInfinity)]
    public void A_loss_that_is_not_finite_moves_nothing_there_nor_in_later_steps_until_the_health_is_set_back(float bad)
    {
        var p = Tensor.From(Numbers(0), Shape.Of(Count), _backend);
        var (g, m, health) = (Tensor.From(Numbers(1), p.Shape, _backend), Filled.Create(p.Shape, 0.5f, _backend), Filled.Create(Shape.Of(1), 0, _backend));
        Tensor sound = Tensor.From([1f, 2, 3], Shape.Of(3), _backend), unsound = Tensor.From([1f, bad, 3], Shape.Of(3), _backend);
        byte[] before = Bytes();
        Step(unsound);
        Assert.That((Bytes(), health.ToFloats()[0]), Is.EqualTo((before, 1f)));
        Step(sound);
        Step(null);
        Assert.That((Bytes(), health.ToFloats()[0]), Is.EqualTo((before, 1f)), "steps behind it");
        _backend.Run(new Fill(health.Write, 0));
        Step(sound);
        byte[] guarded = Bytes();
        Assert.That(health.ToFloats()[0], Is.Zero);
        p.CopyFrom(Numbers(0));
        _backend.Run(new Fill(m.Write, 0.5f));
        Sgd.Step(p, g, m, 0.1f, 0.9f, 5e-4f);
        Assert.That(guarded, Is.EqualTo(Bytes()), "the step that is made is that without a guard");

        void Step(Tensor? losses) => Sgd.Step(p, g, m, 0.1f, 0.9f, 5e-4f, losses: losses, health: health);
        byte[] Bytes() => [.. p.ToFloats().Concat(m.ToFloats()).SelectMany(BitConverter.GetBytes)];
    }

    [Test]
    public void Without_a_health_flag_every_step_is_judged_by_its_own_losses()
    {
        var p = Tensor.From(Numbers(0), Shape.Of(Count), _backend);
        var g = Tensor.From(Numbers(1), p.Shape, _backend);
        Sgd.Step(p, g, null, 0.1f, losses: Filled.Create(Shape.Of(5), float.NaN, _backend));
        Assert.That(p.ToFloats(), Is.EqualTo(Numbers(0)));
        Sgd.Step(p, g, null, 0.1f, losses: Filled.Create(Shape.Of(5), 1, _backend));
        Assert.That(p.ToFloats(), Is.Not.EqualTo(Numbers(0)));
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        var p = Filled.Create(Shape.Of(4), 1, _backend);
        var other = Filled.Create(Shape.Of(5), 1, _backend);
        Assert.Multiple(() =>
        {
            Assert.That(() => Sgd.Step(p, other, null, 0.1f), Throws.TypeOf<ShapeException>().With.Message.Contains("gradients f32 [5]"));
            Assert.That(() => Sgd.Step(p, p, other, 0.1f, 0.9f), Throws.TypeOf<ShapeException>().With.Message.Contains("momentum buffer f32 [5]"));
            Assert.That(() => Sgd.Step(p, p, null, 0.1f, 0.9f), Throws.ArgumentException.With.Message.Contains("needs a momentum buffer [4]"));
            Assert.That(() => Sgd.Step(p, p, null, float.NaN), Throws.ArgumentException.With.Message.Contains("NaN"));
            Assert.That(() => Sgd.Step(p, p, null, 0.1f, nesterov: true), Throws.ArgumentException.With.Message.Contains("Nesterov"));
            Assert.That(() => Sgd.Step(p, p, null, 0.1f, health: other), Throws.TypeOf<ShapeException>().With.Message.StartWith("sgd: the health flag is f32 [5]").And.Message.EndWith("it must be f32 [1]."));
            Assert.That(() => Sgd.Step(p, p, null, 0.1f, losses: Tensor.From([1, 2], _backend)), Throws.TypeOf<ShapeException>().With.Message.StartWith("sgd: the losses are i32 [2]"));
        });
    }

    private float[] Run(float factor, float decay, bool nesterov)
    {
        var p = Tensor.From(Numbers(0), Shape.Of(Count), _backend);
        var m = factor == 0 ? null : Filled.Create(p.Shape, 0, _backend);
        for (int step = 1; step <= Steps; step++)
            Sgd.Step(p, Tensor.From(Numbers(step), p.Shape, _backend), m, 0.1f, factor, decay, nesterov);
        return p.ToFloats();
    }

    private static float[] Numbers(int step)
    {
        var stream = RandomStream.For(9, RandomPurpose.Test, step: step);
        return [.. Enumerable.Range(0, Count).Select(i => 2 * stream.Uniform(i) - 1)];
    }
}
