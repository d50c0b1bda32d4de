using Dom.Kernels.Cuda;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>Every rung of the ladder against sums in f64, on sizes that are no multiples of anything.</summary>
public sealed class GemmLadderTests
{
    private const int Margin = 64;

    private CudaBackend? _backend;

    private CudaBackend Backend => _backend ??= Emulator.Open();

    private static IEnumerable<GemmRung> Rungs => GemmLadder.Rungs;

    [OneTimeTearDown]
    public void Close() => _backend?.Dispose();

    [Test]
    public void A_rung_gives_what_the_formula_gives_and_the_same_bits_twice(
        [ValueSource(nameof(Rungs))] GemmRung rung, [Values("1x1x1", "3x5x7", "2x130x4", "65x129x33", "128x128x64", "130x36x257", "33x36x20", "200x132x100")] string size)
    {
        int[] sizes = [.. size.Split('x').Select(int.Parse)];
        var (m, n, k) = (sizes[0], sizes[1], sizes[2]);
        var random = new Random(m + 31 * n + 997 * k);
        // Numbers of 8 bits: bf16 holds them, so all rungs multiply the same ones.
        float[] a = Numbers(m * k, random), b = Numbers(k * n, random);
        float[] c = Product(rung, a, b, m, n, k);
        Assert.That(Product(rung, a, b, m, n, k).AsSpan().SequenceEqual(c), Is.True, "the same bits");
        for (int row = 0; row < m; row++)
            for (int column = 0; column < n; column++)
            {
                double sum = 0;
                for (int i = 0; i < k; i++)
                    sum += (double)a[row * k + i] * b[i * n + column];
                Assert.That(c[row * n + column], Is.EqualTo(sum).Within(k * 1e-6), $"row {row}, column {column}");
            }
    }

    [Test]
    public void The_rungs_in_f32_add_in_the_same_order_and_agree_to_the_bit()
    {
        var (m, n, k) = (33, 70, 50);
        var random = new Random(5);
        float[] a = Array.ConvertAll(new float[m * k], _ => random.NextSingle()), b = Array.ConvertAll(new float[k * n], _ => random.NextSingle());
        var results = Rungs.Where(rung => rung.Operands == DType.F32).Select(rung => Product(rung, a, b, m, n, k)).ToArray();
        foreach (var result in results[1..])
            Assert.That(result, Is.EqualTo(results[0]));
    }

    [TestCaseSource(nameof(Rungs))]
    public void A_rung_is_launched_as_a_GPU_can_take_it(GemmRung rung)
    {
        using var driver = new PtxDriver();
        using var backend = new CudaBackend("launches", driver);
        Product(rung, new float[77 * 300], new float[300 * 259], 77, 259, 300, backend);
        Assert.That(driver.Launched, Has.Some.StartsWith($"ladder{rung.Number}"));
    }

    [Test]
    public void Views_that_do_not_fit_the_sizes_are_refused_with_what_would_be_right()
    {
        using var scope = new TensorScope();
        var four = Tensor.From([1, 2, 3, 4], Shape.Of(2, 2), Backend);
        Assert.That(() => GemmLadder.Run(Backend, GemmLadder.Rungs[0], four.Read, four.Read, four.Write, 2, 3, 2), Throws.ArgumentException
            .With.Message.EqualTo("ladder, naive: b is f32[4]; it must be f32[6]."));
        Assert.That(() => GemmLadder.Run(Backend, GemmLadder.Rungs[5], four.Read, four.Read, four.Write, 2, 2, 2), Throws.ArgumentException
            .With.Message.EqualTo("ladder, tensor cores: a is f32[4]; it must be bf16[4]."));
        Assert.That(() => GemmLadder.Run(Backend, GemmLadder.Rungs[0], four.Read, four.Read, four.Write, 2, 2, 0), Throws.ArgumentException
            .With.Message.EqualTo("ladder, naive: the sizes are 2, 2 and 0; each must be at least 1."));
    }

    private float[] Product(GemmRung rung, float[] a, float[] b, int m, int n, int k, CudaBackend? on = null)
    {
        var backend = on ?? Backend;
        using var scope = new TensorScope();
        // Views inside larger buffers of NaN: what a rung reads beside them spoils sums, what it writes there is seen. Those of odd sizes begin anywhere.
        int before = Margin + m % 2;
        Tensor c = Buffer([], m * n, DType.F32), left = Buffer(a, m * k, rung.Operands), right = Buffer(b, k * n, rung.Operands);
        GemmLadder.Run(backend, rung, Inside(left, m * k), Inside(right, k * n), Inside(c, m * n), m, n, k);
        float[] all = c.ToFloats();
        if (on is null)
            Assert.That(all[..before].Concat(all[^Margin..]), Is.All.NaN, "nothing is written beside the product");
        return all[before..^Margin];

        Tensor Buffer(float[] values, int count, DType type)
        {
            var buffer = Enumerable.Repeat(float.NaN, before + count + Margin).ToArray();
            values.CopyTo(buffer, before);
            return Tensor.From(buffer, Shape.Of(buffer.Length), backend, type);
        }

        View Inside(Tensor buffer, int count) => new(buffer.Read.Address + before * buffer.Type.Size(), count, buffer.Type, Access.ReadWrite);
    }

    private static float[] Numbers(int count, Random random) => Array.ConvertAll(new float[count], _ => random.Next(-128, 129) / 128f);
}
