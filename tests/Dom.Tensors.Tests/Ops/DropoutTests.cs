using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class DropoutTests(string device) : OperatorTest(device)
{
    private static readonly RandomStream s_stream = RandomStream.For(11, RandomPurpose.Dropout, step: 9);

    private Tensor Ids => Tensor.From([5, 6], Backend);

    [Test]
    public void Elements_are_dropped_at_the_rate_and_the_rest_is_scaled()
    {
        var y = Dropout.Apply(Filled.Create(Shape.Of(2, 20000), 3, Backend), Ids, s_stream, 0.25f).ToFloats();
        Assert.Multiple(() =>
        {
            Assert.That(y.Distinct(), Is.EquivalentTo(new[] { 0f, 4f }));
            Assert.That(y.Count(v => v == 0) / 40000.0, Is.EqualTo(0.25).Within(5 * Math.Sqrt(0.25 * 0.75 / 40000)));
        });
    }

    [Test]
    public void The_gradient_has_the_mask_of_the_forward_pass()
    {
        var x = Filled.Create(Shape.Of(2, 50), 1, Backend);
        var y = Dropout.Apply(x, Ids, s_stream, 0.5f).ToFloats();
        var dx = GradientsOf(() => Dropout.Apply(x, Ids, s_stream, 0.5f), Filled.Create(x.Shape, 1, Backend), x)[0];
        Assert.That(dx, Is.EqualTo(y));
    }

    [Test]
    public void A_rate_of_zero_changes_nothing()
    {
        var x = Counting(2, 3);
        Assert.That(Dropout.Apply(x, Ids, s_stream, 0), Is.SameAs(x));
    }

    [TestCase(1f)]
    [TestCase(-0.1f)]
    [TestCase(float.NaN)]
    public void A_rate_outside_0_to_1_is_refused(float rate) => Assert.That(
        () => Dropout.Apply(Counting(2, 3), Ids, s_stream, rate), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("below 1"));
}
