using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class DropoutCases
{
    public static IEnumerable<KernelCase> All()
    {
        var stream = RandomStream.For(99, RandomPurpose.Dropout, epoch: 3, step: 5);
        foreach (var (rows, length) in ((int, int)[])[(1, 1), (3, 7), (128, 512), (2, 9001), (300, 2)])
            foreach (float rate in (float[])[0, 0.3f, 0.5f, 0.99f])
                yield return KernelCases.Of<DropoutForward>($"{rows}x{length}, rate {rate}", b => new(
                    b.Random(rows * length), b.Integers(rows, 60000), b.Output(rows * length), stream, rows, length, rate));
    }
}
