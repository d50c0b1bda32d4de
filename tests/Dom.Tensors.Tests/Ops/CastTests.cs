using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class CastTests(string device) : OperatorTest(device)
{
    [Test]
    public void Every_bf16_survives_the_way_to_f32_and_back()
    {
        var all = Enumerable.Range(0, 65536).Select(i => new BFloat16((ushort)i)).ToArray();
        var x = Tensor.From(Array.ConvertAll(all, b => b.ToSingle()), Shape.Of(all.Length), Backend);
        var rounded = Cast.Apply(x, DType.BF16);
        var widened = Cast.Apply(rounded, DType.F32);
        Assert.Multiple(() =>
        {
            Assert.That(rounded.ToArray<BFloat16>().Where((b, i) => b != all[i] && !float.IsNaN(all[i].ToSingle())), Is.Empty);
            Assert.That(widened.ToFloats(), Is.EqualTo(x.ToFloats()), "a NaN equals a NaN here");
        });
    }

    [Test]
    public void The_nearest_bf16_is_taken_and_ties_go_to_the_even_one()
    {
        // A bf16 between 1 and 2 is a multiple of 1/128.
        float[] x = [1 + 1f / 256, 1 + 3f / 256, 1 + 1f / 256 + 1e-6f, -1 - 1f / 256, 3.4e38f];
        float[] nearest = [1, 1 + 1f / 64, 1 + 1f / 128, -1, float.PositiveInfinity];
        Assert.That(Cast.Apply(Of(x, 5), DType.BF16).ToFloats(), Is.EqualTo(nearest));
    }

    [Test]
    public void The_gradient_comes_back_in_the_type_of_the_input()
    {
        var x = Counting(4);
        var seed = Tensor.From([1, 2, 3, 4], Shape.Of(4), Backend, DType.BF16);
        Assert.That(GradientsOf(() => Cast.Apply(x, DType.BF16), seed, x)[0], Is.EqualTo(new float[] { 1, 2, 3, 4 }));
    }

    [Test]
    public void Integers_become_floats_and_the_same_type_is_no_work()
    {
        var x = Tensor.From([-3, 0, 16777217], Backend);
        var y = Cast.Apply(x, DType.F32);
        Assert.Multiple(() =>
        {
            Assert.That(y.ToFloats(), Is.EqualTo(new float[] { -3, 0, 16777216 }), "2^24 + 1 is a tie; the even neighbor is 2^24");
            Assert.That(Cast.Apply(y, DType.F32), Is.SameAs(y));
        });
    }

    [Test]
    public void A_cast_to_integers_is_refused() =>
        Assert.That(() => Cast.Apply(Counting(2), DType.I32), Throws.TypeOf<ShapeException>().With.Message.Contains("cannot become i32"));
}
