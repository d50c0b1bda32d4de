using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class NoiseTests(string device) : OperatorTest(device)
{
    private static readonly RandomStream s_stream = RandomStream.For(11, RandomPurpose.Attack, epoch: 2, step: 9);

    [Test]
    public void A_sample_gets_the_same_noise_wherever_it_stands_in_a_batch()
    {
        var together = Noise.Uniform(Tensor.From([7, 3, 9], Backend), Shape.Of(3, 5, 5, 3), s_stream, -1, 1);
        var alone = Noise.Uniform(Tensor.From([3], Backend), Shape.Of(1, 5, 5, 3), s_stream, -1, 1);
        Assert.That(together.Rows(1, 1).ToFloats(), Is.EqualTo(alone.ToFloats()));
    }

    [Test]
    public void Element_j_is_number_j_of_the_stream_of_its_sample()
    {
        var ids = Tensor.From([4, 50000], Backend);
        float[] uniform = Noise.Uniform(ids, Shape.Of(2, 45), s_stream).ToFloats(), normal = Noise.Normal(ids, Shape.Of(2, 45), s_stream).ToFloats();
        Assert.Multiple(() =>
        {
            Assert.That(uniform, Is.EqualTo(Enumerable.Range(0, 90).Select(i => s_stream.ForSample(i < 45 ? 4 : 50000).Uniform(i % 45))));
            Assert.That(normal, Is.EqualTo(Enumerable.Range(0, 90).Select(i => s_stream.ForSample(i < 45 ? 4 : 50000).Normal(i % 45))));
        });
    }

    [Test]
    public void Noise_has_the_moments_that_were_asked_for()
    {
        const int Count = 40000;
        var ids = Tensor.From([0], Backend);
        double[] uniform = Array.ConvertAll(Noise.Uniform(ids, Shape.Of(1, Count), s_stream, 2, 6).ToFloats(), v => (double)v);
        double[] normal = Array.ConvertAll(Noise.Normal(ids, Shape.Of(1, Count), s_stream, -3, 2).ToFloats(), v => (double)v);
        Assert.Multiple(() =>
        {
            Assert.That(uniform, Is.All.InRange(2.0, 6.0));
            Assert.That(uniform.Average(), Is.EqualTo(4).Within(5 * 4 / Math.Sqrt(12.0 * Count)));
            Assert.That(normal.Average(), Is.EqualTo(-3).Within(5 * 2 / Math.Sqrt(Count)));
            Assert.That(normal.Average(v => (v + 3) * (v + 3)), Is.EqualTo(4).Within(5 * 4 * Math.Sqrt(2.0 / Count)));
        });
    }

    [Test]
    public void Ids_that_do_not_match_the_rows_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(
            () => Noise.Uniform(Tensor.From([1, 2], Backend), Shape.Of(3, 4), s_stream),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo("uniform noise: 2 sample ids for rows of [3, 4]; each row needs one."));
        Assert.That(
            () => Noise.Normal(Counting(3), Shape.Of(3, 4), s_stream),
            Throws.TypeOf<ShapeException>().With.Message.Contains("must be i32 [N]"));
    });
}
