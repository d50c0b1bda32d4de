using Dom.Kernels.Reference;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Autodiff;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class GradientCheckTests
{
    private readonly ReferenceBackend _reference = new();

    [TearDown]
    public void Nothing_is_left() => Assert.That(_reference.Memory.LiveBytes, Is.Zero, _reference.Memory.Report());

    [Test]
    public void A_right_gradient_passes()
    {
        var result = Check(x => Add.Apply(Relu.Apply(x), x), [0.5, -0.25, 3, -100]);
        Assert.That((result.Passed, result.Skipped, result.Elements), Is.EqualTo((true, 0, 4)), result.Message);
    }

    [TestCase(1.0001, false)]
    [TestCase(1.0000001, true)]
    [TestCase(0, false)]
    [TestCase(-1, false)]
    [TestCase(double.NaN, false)]
    public void A_gradient_that_is_off_by_more_than_the_tolerance_fails(double factor, bool passes)
    {
        var result = Check(x => Scaled.Apply(x, 1, factor), [0.5, -0.25, 3]);
        Assert.That(result.Passed, Is.EqualTo(passes), result.Message);
    }

    [Test]
    public void The_element_that_is_wrong_is_named()
    {
        var result = Check(x => Scaled.Apply(x, 1, 2, only: 2), [0.5, -0.25, 3, 1]);
        Assert.That((result.Passed, result.WorstInput, result.WorstIndex), Is.EqualTo((false, 0, 2)));
        Assert.That(result.Message, Does.Contain("input 0, element 2"));
        Assert.That(result.WorstError, Is.EqualTo(0.5).Within(1e-6));
    }

    [Test]
    public void A_kink_is_skipped_and_counted()
    {
        var values = Enumerable.Range(0, 20).Select(i => i - 10.0).ToArray(); // one of them is 0
        var result = Check(Relu.Apply, values);
        Assert.That((result.Passed, result.Skipped), Is.EqualTo((true, 1)), result.Message);
    }

    [Test]
    public void Too_many_kinks_fail()
    {
        var result = Check(Relu.Apply, [0, 0, 1, 2, 3]);
        Assert.That((result.Passed, result.Skipped), Is.EqualTo((false, 2)));
        Assert.That(result.Message, Does.Contain("2 of 5 elements lie at a kink"));
    }

    [Test]
    public void A_gradient_that_is_wrong_beside_a_kink_is_not_excused_by_it()
    {
        var result = Check(x => Scaled.Apply(Relu.Apply(x), 1, 3), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        Assert.That(result.Passed, Is.False);
    }

    [Test]
    public void An_input_without_influence_has_gradient_zero()
    {
        var result = GradientCheck.Compare(t => Relu.Apply(t[0]), [(Shape.Of(1), [2.0]), (Shape.Of(3), [1.0, 2, 3])], _reference);
        Assert.That(result.Passed, Is.True, result.Message);
    }

    private GradientCheckResult Check(Func<Tensor, Tensor> function, double[] values) =>
        GradientCheck.Compare(t => function(t[0]), [(Shape.Of(values.Length), values)], _reference);

    /// <summary>y = forward x with the gradient dx = backward dy, right if both factors agree.</summary>
    private sealed class Scaled : Op
    {
        private readonly double _backward;
        private readonly int _only;

        private Scaled(Tensor y, Tensor x, double backward, int only) : base("scaled", y, x) => (_backward, _only) = (backward, only);

        public static Tensor Apply(Tensor x, double forward, double backward, int only = -1)
        {
            var y = Tensor.From(x.ToDoubles().Select(v => forward * v).ToArray(), x.Shape, x.Backend);
            if (Tape.Tracks(x))
                Tape.Record(new Scaled(y, x, backward, only));
            return y;
        }

        protected internal override void Backward(Tensor dy, Gradients gradients) => gradients.Add(
            Input(0), Tensor.From(dy.ToDoubles().Select((v, i) => _only >= 0 && i != _only ? v : _backward * v).ToArray(), dy.Shape, dy.Backend));
    }
}
