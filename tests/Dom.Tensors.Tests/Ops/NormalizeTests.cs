using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class NormalizeTests(string device) : OperatorTest(device)
{
    [Test]
    public void Every_channel_is_centered_and_scaled_by_its_own_constants()
    {
        var y = Normalize.Apply(Counting(1, 2, 2, 3), Of([1, 2, 3], 3), Of([1, 2, 0.5f], 3));
        Assert.That(y.ToFloats(), Is.EqualTo(new[] { 0, 0, 0, 3, 1.5f, 6, 6, 3, 12, 9, 4.5f, 18 }));
    }

    [Test]
    public void The_gradient_is_divided_by_the_standard_deviation()
    {
        var x = Random(1, 1, 1, 2, 3);
        var dx = GradientsOf(() => Normalize.Apply(x, Of([1, 2, 3], 3), Of([1, 2, 0.5f], 3)), Counting(1, 1, 2, 3), x)[0];
        Assert.That(dx, Is.EqualTo(new[] { 1, 1, 6, 4, 2.5f, 12 }));
    }

    [Test]
    public void Constants_for_another_number_of_channels_are_refused() => Assert.That(
        () => Normalize.Apply(Counting(1, 2, 2, 1), Of([1, 2, 3], 3), Of([1, 2, 3], 3)),
        Throws.TypeOf<ShapeException>().With.Message.Contains("has 1 channels, mean is [3] and std [3]"));
}
