using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class SquareSearchTests(string device) : OperatorTest(device)
{
    private const int Count = 4, Height = 9, Width = 300, Channels = 3, Line = Width * Channels;
    private const float Epsilon = 8f / 255;

    private static readonly RandomStream s_stream = RandomStream.For(17, RandomPurpose.Attack, step: 3);
    private static readonly int[] s_ids = [7, 0, 41, 3];

    private float[] _clean = null!;

    [SetUp]
    public void Draw()
    {
        var random = RandomStream.For(32, RandomPurpose.Test);
        _clean = [.. Enumerable.Range(0, Count * Height * Line).Select(i => random.Uniform(i))];
    }

    [Test]
    public void Stripes_take_every_column_of_a_channel_to_one_side_of_the_ball_by_the_samples_number()
    {
        float[] y = SquareSearch.Stripes(Images(_clean), Tensor.From(s_ids, Backend), s_stream, Epsilon).ToFloats();
        int up = 0;
        for (int i = 0; i < y.Length; i++)
        {
            bool rises = s_stream.ForSample(s_ids[i / (Height * Line)]).Uniform(i % Line) >= 0.5f;
            up += rises ? 1 : 0;
            Assert.That(y[i], Is.EqualTo(Math.Clamp(_clean[i] + (rises ? Epsilon : -Epsilon), 0, 1)).Within(1e-7), $"element {i}");
        }
        Assert.That((double)up / y.Length, Is.EqualTo(0.5).Within(0.025), "3,600 signs: 3 standard deviations");
    }

    [Test]
    public void Stripes_of_a_sample_are_the_same_in_any_batch()
    {
        var all = SquareSearch.Stripes(Images(_clean), Tensor.From(s_ids, Backend), s_stream, Epsilon);
        var alone = SquareSearch.Stripes(Images(_clean).Rows(2, 1), Tensor.From([41], Backend), s_stream, Epsilon);
        Assert.That(alone.ToFloats(), Is.EqualTo(all.Rows(2, 1).ToFloats()));
    }

    [TestCase(0, 0, 1)]
    [TestCase(2, 100, 5)]
    [TestCase(0, 291, 9)]
    public void A_window_ends_on_the_ball_or_on_the_box_and_leaves_all_else_alone(int top, int left, int side)
    {
        var x = SquareSearch.Stripes(Images(_clean), Tensor.From(s_ids, Backend), s_stream, Epsilon);
        float[] before = x.ToFloats(), signs = [1, -1, -1];
        float[] after = SquareSearch.Window(Images(_clean), x, Of(signs, 3), top, left, side, Epsilon).ToFloats();
        int inside = 0;
        for (int i = 0; i < after.Length; i++)
        {
            int h = i / Line % Height, w = i % Line / Channels;
            bool isInside = h >= top && h < top + side && w >= left && w < left + side;
            inside += isInside ? 1 : 0;
            if (isInside)
                Assert.That(after[i], Is.EqualTo(Math.Clamp(_clean[i] + signs[i % Channels] * Epsilon, 0, 1)).Within(1e-7), $"element {i}");
            else
                Assert.That(after[i], Is.EqualTo(before[i]), $"element {i}");
        }
        Assert.That(inside, Is.EqualTo(Count * side * side * Channels));
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        var x = Images(_clean);
        var signs = Of([1, 1, 1], 3);
        Assert.Multiple(() =>
        {
            Assert.That(() => SquareSearch.Window(x, x, signs, 0, 292, 9, Epsilon), Throws.TypeOf<ShapeException>().With.Message.Contains("not inside images of 9x300"));
            Assert.That(() => SquareSearch.Window(x, x, signs, 0, 0, 0, Epsilon), Throws.TypeOf<ShapeException>().With.Message.Contains("side 0"));
            Assert.That(() => SquareSearch.Window(x, x, x, 0, 0, 1, Epsilon), Throws.TypeOf<ShapeException>().With.Message.Contains("signs f32 [3]"));
            Assert.That(() => SquareSearch.Window(x, signs, signs, 0, 0, 1, Epsilon), Throws.TypeOf<ShapeException>().With.Message.Contains("x f32 [3]"));
            Assert.That(() => SquareSearch.Stripes(x, Tensor.From([1], Backend), s_stream, Epsilon), Throws.TypeOf<ShapeException>().With.Message.Contains("1 sample ids"));
            Assert.That(() => SquareSearch.Stripes(signs, Tensor.From(s_ids, Backend), s_stream, Epsilon), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, H, W, C]"));
            Assert.That(() => SquareSearch.Stripes(x, Tensor.From(s_ids, Backend), s_stream, -1), Throws.ArgumentException.With.Message.Contains("got -1"));
        });
    }

    private Tensor Images(float[] values) => Of(values, Count, Height, Width, Channels);
}
