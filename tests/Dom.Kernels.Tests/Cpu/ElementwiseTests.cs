using Dom.Kernels.Cpu;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests.Cpu;

/// <summary>The paths of the CPU's elementwise calls: vectors and the numbers behind the last, stores through the caches and past them, in place.</summary>
public sealed class ElementwiseTests
{
    [Test]
    public void Every_vector_width_and_way_of_writing_gives_each_element_its_own_result(
        [Values(1, 15, 16, 100, 16384, 40_003)] int count, [Values(128, 256, 512)] int bits, [Values] bool streams, [Values(1, 3)] int threads)
    {
        using var backend = new CpuBackend(threads) { SimdWidth = (SimdWidth)bits, StreamFrom = streams ? 0 : long.MaxValue };
        using var scope = new TensorScope();
        float[] a = Numbers(count, 1), b = Numbers(count, 2);
        Tensor first = Tensor.From(a, Shape.Of(count), backend), second = Tensor.From(b, Shape.Of(count), backend);

        AssertResult(y => new AddForward(first.Read, second.Read, y), (x, z) => x + z);
        AssertResult(y => new ReluForward(first.Read, y), (x, _) => x < 0 ? 0 : x);
        AssertResult(y => new ReluBackward(first.Read, second.Read, y), (x, z) => x > 0 ? z : 0);
        backend.Run(new Accumulate(first.Read, second.ReadWrite));
        Assert.That(second.ToFloats(), Is.EqualTo(a.Zip(b, (x, z) => z + x)));

        void AssertResult<TCall>(Func<View, TCall> call, Func<float, float, float> expected) where TCall : struct, IKernelCall
        {
            var y = Tensor.From(Enumerable.Repeat(float.NaN, count).ToArray(), Shape.Of(count), backend);
            backend.Run(call(y.Write));
            Assert.That(y.ToFloats(), Is.EqualTo(a.Zip(b, expected)), typeof(TCall).Name);
        }
    }

    [Test]
    public void A_result_at_an_address_that_is_not_aligned_is_written_too([Values(128, 256, 512)] int bits)
    {
        using var backend = new CpuBackend(2) { SimdWidth = (SimdWidth)bits, StreamFrom = 0 };
        using var scope = new TensorScope();
        var x = Tensor.From(Numbers(101, 3), Shape.Of(101), backend);
        var y = Tensor.From(new float[102], Shape.Of(102), backend);
        backend.Run(new ReluForward(x.Read, y.Rows(1, 101).Write));
        Assert.That(y.ToFloats()[1..], Is.EqualTo(x.ToFloats().Select(value => Math.Max(0, value))));
    }

    private static float[] Numbers(int count, ulong seed)
    {
        var stream = RandomStream.For(seed, RandomPurpose.Test);
        return [.. Enumerable.Range(0, count).Select(i => stream.Below(i, 2001) / 1000f - 1)];
    }
}
