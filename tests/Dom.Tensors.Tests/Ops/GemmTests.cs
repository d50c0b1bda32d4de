using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class GemmTests(string device) : OperatorTest(device)
{
    [Test]
    public void A_product_by_hand()
    {
        var c = Gemm.Apply(Of([1, 2, 3, 4, 5, 6], 2, 3), Of([1, 0, 0, 1, 1, 1], 3, 2)); // [2, 2]
        Assert.That(c.ToFloats(), Is.EqualTo(new float[] { 4, 5, 10, 11 }));
    }

    [TestCase(false, false)]
    [TestCase(false, true)]
    [TestCase(true, false)]
    [TestCase(true, true)]
    public void The_gradients_are_the_products_with_the_other_operand(bool transposeA, bool transposeB)
    {
        const int M = 3, N = 5, K = 4;
        var a = transposeA ? Random(1, K, M) : Random(1, M, K);
        var b = transposeB ? Random(2, N, K) : Random(2, K, N);
        var seed = Random(3, M, N);
        var gradients = GradientsOf(() => Gemm.Apply(a, b, transposeA, transposeB), seed, a, b);

        float[] av = a.ToFloats(), bv = b.ToFloats(), dc = seed.ToFloats(), da = new float[M * K], db = new float[K * N];
        for (int m = 0; m < M; m++)
            for (int n = 0; n < N; n++)
                for (int k = 0; k < K; k++)
                {
                    int atA = transposeA ? k * M + m : m * K + k, atB = transposeB ? n * K + k : k * N + n;
                    da[atA] += dc[m * N + n] * bv[atB];
                    db[atB] += dc[m * N + n] * av[atA];
                }
        Assert.Multiple(() =>
        {
            Assert.That(gradients[0], Is.EqualTo(da).Within(1e-6));
            Assert.That(gradients[1], Is.EqualTo(db).Within(1e-6));
        });
    }

    [Test]
    public void Operands_that_do_not_fit_are_refused_by_name_and_size() =>
        Assert.That(
            () => Gemm.Apply(Counting(2, 3), Counting(2, 3)),
            Throws.TypeOf<ShapeException>().With.Message.EqualTo("gemm: [2, 3] has 3 columns, [2, 3] has 2 rows; they must agree."));
}
