using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class NoiseCases
{
    public static IEnumerable<KernelCase> All()
    {
        var stream = RandomStream.For(99, RandomPurpose.Test, epoch: 3, step: 5);
        foreach (var (rows, length) in ((int, int)[])[(1, 1), (3, 7), (5, 3072), (2, 9001), (300, 2)])
        {
            yield return KernelCases.Of<UniformNoise>($"{rows}x{length}", b => new(
                b.Output(rows * length), b.Integers(rows, 60000), stream, rows, length, -0.25f, 0.75f));
            yield return KernelCases.Of<NormalNoise>($"{rows}x{length}", b => new(
                b.Output(rows * length), b.Integers(rows, 60000), stream, rows, length, 0.5f, 2));
        }
    }
}
