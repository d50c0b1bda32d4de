namespace Dom.Tensors.Tests;

public sealed class ShapeTests
{
    [Test]
    public void A_shape_knows_its_sizes_from_both_ends()
    {
        var shape = Shape.Of(2, 3, 5, 7);
        Assert.Multiple(() =>
        {
            Assert.That(shape.Rank, Is.EqualTo(4));
            Assert.That(shape.Count, Is.EqualTo(210));
            Assert.That(new[] { shape[0], shape[1], shape[2], shape[3] }, Is.EqualTo(new[] { 2, 3, 5, 7 }));
            Assert.That(new[] { shape[-1], shape[-2], shape[-3], shape[-4] }, Is.EqualTo(new[] { 7, 5, 3, 2 }));
            Assert.That(shape.ToArray(), Is.EqualTo(new[] { 2, 3, 5, 7 }));
            Assert.That(shape.ToString(), Is.EqualTo("[2, 3, 5, 7]"));
        });
    }

    [Test]
    public void A_number_has_no_axes_and_one_element() =>
        Assert.That((Shape.Of().Rank, Shape.Of().Count, Shape.Of().ToString()), Is.EqualTo((0, 1, "[]")));

    [Test]
    public void Shapes_are_equal_when_rank_and_sizes_are() => Assert.Multiple(() =>
    {
        Assert.That(Shape.Of([2, 3]), Is.EqualTo(Shape.Of(2, 3)));
        Assert.That(Shape.Of(2, 3), Is.Not.EqualTo(Shape.Of(3, 2)));
        Assert.That(Shape.Of(2), Is.Not.EqualTo(Shape.Of(2, 0)));
        Assert.That(Shape.Of(), Is.EqualTo(default(Shape)));
    });

    [Test]
    public void A_shape_that_cannot_be_is_refused_with_its_sizes() => Assert.Multiple(() =>
    {
        Assert.That(() => Shape.Of(1, 2, 3, 4, 5), Throws.TypeOf<ShapeException>().With.Message.Contains("at most 4 axes, got 5"));
        Assert.That(() => Shape.Of(2, -1), Throws.TypeOf<ShapeException>().With.Message.Contains("[2, -1]"));
        Assert.That(() => Shape.Of(65536, 32768), Throws.TypeOf<ShapeException>().With.Message.Contains("[65536, 32768] has more than"));
        Assert.That(Shape.Of(65536, 32767).Count, Is.EqualTo(65536 * 32767));
    });

    [Test]
    public void An_axis_that_is_not_there_is_named([Values(2, -3, 4, -5, 100)] int axis) =>
        Assert.That(() => Shape.Of(2, 3)[axis], Throws.TypeOf<ShapeException>().With.Message.Contains($"of [2, 3]"));
}
