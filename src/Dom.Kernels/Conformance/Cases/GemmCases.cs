using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class GemmCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (m, n, k) in ((int, int, int)[])
            [(1, 1, 1), (3, 5, 7), (6, 32, 16), (17, 33, 9), (1, 200, 64), (200, 1, 65), (128, 10, 512), (61, 70, 401), (250, 530, 12), (5, 4, 0)])
            foreach (var (transposeA, transposeB) in ((int, int)[])[(0, 0), (0, 1), (1, 0), (1, 1)])
                yield return KernelCases.Of<Gemm>(
                    $"{m}x{n}x{k}{(transposeA == 1 ? " A transposed" : "")}{(transposeB == 1 ? " B transposed" : "")}",
                    b => new(b.Random(m * k), b.Random(k * n), b.Output(m * n), m, n, k, transposeA, transposeB), 3e-6);
    }
}
