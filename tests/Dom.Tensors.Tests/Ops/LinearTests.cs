using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class LinearTests(string device) : OperatorTest(device)
{
    [Test]
    public void A_layer_by_hand()
    {
        Tensor x = Of([1, 2, 3, 4], 2, 2), weight = Of([1, 1, 0, 2, -1, 0], 3, 2), bias = Of([10, 20, 30], 3);
        Assert.That(Linear.Apply(x, weight, bias).ToFloats(), Is.EqualTo(new float[] { 13, 24, 29, 17, 28, 27 }));
    }

    [Test]
    public void The_gradients_by_hand()
    {
        Tensor x = Of([1, 2, 3, 4], 2, 2), weight = Of([1, 1, 0, 2, -1, 0], 3, 2), bias = Of([10, 20, 30], 3), seed = Of([1, 0, 2, 0, 1, 3], 2, 3);
        var gradients = GradientsOf(() => Linear.Apply(x, weight, bias), seed, x, weight, bias);
        Assert.Multiple(() =>
        {
            Assert.That(gradients[0], Is.EqualTo(new float[] { -1, 1, -3, 2 }), "dy weight");
            Assert.That(gradients[1], Is.EqualTo(new float[] { 1, 2, 3, 4, 11, 16 }), "dy^T x");
            Assert.That(gradients[2], Is.EqualTo(new float[] { 1, 1, 5 }), "column sums of dy");
        });
    }

    [Test]
    public void Without_a_bias_the_rest_is_the_same()
    {
        Tensor x = Random(1, 4, 7), weight = Random(2, 3, 7), seed = Random(3, 4, 3);
        var with = GradientsOf(() => Linear.Apply(x, weight, Of([0, 0, 0], 3)), seed, x, weight);
        var without = GradientsOf(() => Linear.Apply(x, weight), seed, x, weight);
        Assert.That(without, Is.EqualTo(with));
    }

    [Test]
    public void Asking_for_one_gradient_gives_that_one_only()
    {
        Tensor x = Random(1, 4, 7), weight = Random(2, 3, 7), bias = Random(3, 3), seed = Random(4, 4, 3);
        using var tape = new Tape(bias);
        var gradients = tape.Gradient(Linear.Apply(x, weight, bias), seed);
        Assert.That((gradients.Contains(x), gradients.Contains(weight), gradients.Contains(bias)), Is.EqualTo((false, false, true)));
    }

    [Test]
    public void Shapes_that_do_not_fit_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => Linear.Apply(Counting(2, 3), Counting(4, 2)), Throws.TypeOf<ShapeException>().With.Message.Contains("expects 2 inputs"));
        Assert.That(() => Linear.Apply(Counting(2, 3), Counting(4, 3), Counting(3)), Throws.TypeOf<ShapeException>().With.Message.Contains("must be [4]"));
        Assert.That(() => Linear.Apply(Counting(2, 3, 1), Counting(4, 3)), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, In]"));
    });
}
