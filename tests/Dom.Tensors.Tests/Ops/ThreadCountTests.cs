using Dom.Kernels.Cpu;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class ThreadCountTests
{
    private static readonly RandomStream s_stream = RandomStream.For(3, RandomPurpose.Test);

    private static readonly (string Name, Func<CpuBackend, Tensor> Run)[] s_results =
    [
        ("gemm", b => Gemm.Apply(Uniform(b, 300, 500), Uniform(b, 500, 700))),
        ("gemm, long sums", b => Gemm.Apply(Uniform(b, 3000, 10), Uniform(b, 3000, 130), transposeA: true)),
        ("bias gradient", b => Reduced(b, 20000, 37)),
        ("average pool", b => AvgPool2d.Apply(Uniform(b, 5, 12, 12, 20), 3, 3, 2, 1)),
        ("max pool", b => MaxPool2d.Apply(Uniform(b, 5, 12, 12, 20), 3, 3, 2, 1)),
        ("global average pool", b => GlobalAveragePool.Apply(Uniform(b, 9, 8, 8, 100))),
        ("normalize", b => Normalize.Apply(Uniform(b, 40, 32, 32, 3), Uniform(b, 3), Uniform(b, 3))),
        ("cast", b => Cast.Apply(Cast.Apply(Uniform(b, 90000), DType.BF16), DType.F32)),
        ("normal noise", b => Noise.Normal(Ids(b, 30), Shape.Of(30, 5001), s_stream)),
        ("fab step", b => FabStep(b, 70, 777).Images),
        ("fab step's distances", b => FabStep(b, 700, 77).Distances),
        ("square stripes", b => SquareSearch.Stripes(Uniform(b, 30, 32, 32, 3), Ids(b, 30), s_stream, 0.1f)),
        ("square window", b => SquareSearch.Window(Uniform(b, 30, 32, 32, 3), Uniform(b, 30, 32, 32, 3), Uniform(b, 3), 2, 9, 20, 0.1f)),
        ("dropout", b => Dropout.Apply(Uniform(b, 30, 5001), Ids(b, 30), s_stream, 0.5f)),
    ];

    private static IEnumerable<TestCaseData> Results => s_results.Select(r => new TestCaseData(r.Run).SetArgDisplayNames(r.Name));

    [TestCaseSource(nameof(Results))]
    public void One_two_and_three_threads_give_the_same_bits(Func<CpuBackend, Tensor> run)
    {
        byte[][] bits = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var scope = new TensorScope();
            var bytes = new byte[run(backend).Read.Bytes];
            backend.CopyToHost(run(backend).Read, bytes);
            return bytes;
        })];
        Assert.Multiple(() =>
        {
            Assert.That(bits[1].AsSpan().SequenceEqual(bits[0]), Is.True, "two threads");
            Assert.That(bits[2].AsSpan().SequenceEqual(bits[0]), Is.True, "three threads");
        });
    }

    private static Tensor Ids(CpuBackend backend, int count) => Tensor.From(Enumerable.Range(100, count).ToArray(), backend);

    private static Tensor Uniform(CpuBackend backend, params int[] sizes) => Noise.Uniform(Ids(backend, sizes[0]), Shape.Of(sizes), s_stream, -1, 1);

    private static (Tensor Images, Tensor Distances) FabStep(CpuBackend backend, int rows, int length) =>
        BoundaryStep.Fab(Uniform(backend, rows, length), Uniform(backend, rows, length), Uniform(backend, rows, length), Uniform(backend, rows), low: -1);

    private static Tensor Reduced(CpuBackend backend, int rows, int columns)
    {
        var sums = Tensor.Empty(Shape.Of(columns), DType.F32, backend);
        backend.Run(new BiasGradient(Uniform(backend, rows, columns).Read, sums.Write, rows, columns));
        return sums;
    }
}
