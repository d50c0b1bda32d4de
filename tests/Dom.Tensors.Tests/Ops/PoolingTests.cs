using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class PoolingTests(string device) : OperatorTest(device)
{
    // 1 2 3
    // 4 5 6
    // 7 8 9
    private Tensor Square => Counting(1, 3, 3, 1);

    [Test]
    public void An_average_counts_padding_as_zeros() => Assert.That(
        AvgPool2d.Apply(Square, 2, 2, 2, 1).ToFloats(), Is.EqualTo(new[] { 1 / 4f, 5 / 4f, 11 / 4f, 28 / 4f }));

    [Test]
    public void The_gradient_of_an_average_is_spread_over_its_window()
    {
        var x = Square;
        var dx = GradientsOf(() => AvgPool2d.Apply(x, 2, 2, 1), Of([4, 8, 12, 16], 1, 2, 2, 1), x)[0];
        Assert.That(dx, Is.EqualTo(new float[] { 1, 3, 2, 4, 10, 6, 3, 7, 4 }));
    }

    [Test]
    public void Pixels_beyond_the_last_whole_window_get_no_gradient()
    {
        var x = Square;
        var dx = GradientsOf(() => AvgPool2d.Apply(x, 2), Of([4], 1, 1, 1, 1), x)[0];
        Assert.That(dx, Is.EqualTo(new float[] { 1, 1, 0, 1, 1, 0, 0, 0, 0 }));
    }

    [Test]
    public void Padding_never_wins_a_maximum()
    {
        var x = Of([-1, -2, -3, -4], 1, 2, 2, 1);
        Assert.That(MaxPool2d.Apply(x, 2, 2, 2, 1).ToFloats(), Is.EqualTo(new float[] { -1, -2, -3, -4 }));
    }

    [Test]
    public void The_gradient_of_a_maximum_goes_to_the_first_of_equals_and_adds_up_where_windows_overlap()
    {
        var x = Of([0, 7, 0, 7, 9, 0, 0, 0, 9], 1, 3, 3, 1);
        var dx = GradientsOf(() => MaxPool2d.Apply(x, 2, 2, 1), Of([1, 2, 4, 8], 1, 2, 2, 1), x)[0];
        Assert.That(dx, Is.EqualTo(new float[] { 0, 0, 0, 0, 15, 0, 0, 0, 0 }), "the nine in the middle comes first in all four windows");
    }

    [Test]
    public void A_maximum_lets_nan_through_in_every_channel()
    {
        const int Channels = 19; // some in vectors, some left over
        var values = Enumerable.Range(0, 4 * Channels).Select(i => i / Channels == 1 ? float.NaN : i).ToArray();
        Assert.That(MaxPool2d.Apply(Of(values, 1, 2, 2, Channels), 2).ToFloats(), Is.All.NaN);
    }

    [Test]
    public void A_global_average_is_the_mean_of_each_channel_and_its_gradient_is_even()
    {
        var x = Counting(2, 2, 1, 3);
        float[][] dx = GradientsOf(() => GlobalAveragePool.Apply(x), Of([2, 4, 6, 8, 10, 12], 2, 3), x);
        Assert.Multiple(() =>
        {
            Assert.That(GlobalAveragePool.Apply(x).ToFloats(), Is.EqualTo(new[] { 2.5f, 3.5f, 4.5f, 8.5f, 9.5f, 10.5f }));
            Assert.That(dx[0], Is.EqualTo(new float[] { 1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6 }));
        });
    }

    [Test]
    public void Windows_that_do_not_fit_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => MaxPool2d.Apply(Square, 4), Throws.TypeOf<ShapeException>().With.Message.Contains("larger than x [1, 3, 3, 1]"));
        Assert.That(() => AvgPool2d.Apply(Square, 2, 2, 0), Throws.TypeOf<ShapeException>().With.Message.Contains("at least 1"));
        Assert.That(() => AvgPool2d.Apply(Square, 2, 2, 1, 2), Throws.TypeOf<ShapeException>().With.Message.Contains("half the window"));
        Assert.That(() => MaxPool2d.Apply(Counting(3, 3), 2), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, H, W, C]"));
        Assert.That(() => GlobalAveragePool.Apply(Counting(3, 3)), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, H, W, C]"));
    });
}
