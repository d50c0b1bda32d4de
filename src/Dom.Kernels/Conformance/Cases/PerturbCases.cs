using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class PerturbCases
{
    private const float Epsilon = 8f / 255;

    public static IEnumerable<KernelCase> All()
    {
        foreach (int count in (int[])[1, 7, 33, 1000, 70001])
        {
            yield return KernelCases.Of<SignStep>($"{count}", b => new(
                b.Random(count, 0, 1), b.Random(count, 0, 1), b.Random(count), b.Output(count), 2f / 255, Epsilon, 0, 1));
            yield return KernelCases.Of<SignStep>($"{count}, no ball", b => new(
                b.Random(count, 0, 1), b.Random(count, 0, 1), b.Random(count), b.Output(count), 0.5f, float.PositiveInfinity, 0, 1));
        }
        float[] special = [0, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e-40f, -1e-40f, 1, -1];
        yield return KernelCases.Of<SignStep>("special gradients", b => new(
            b.Random(9, 0, 1), b.Random(9, 0, 1), b.Values(special), b.Output(9), 0.3f, 0.5f, 0, 1));
        yield return KernelCases.Of<SignStep>("in place", b =>
        {
            View clean = b.Random(100, 0, 1), x = b.Random(100, 0, 1, Access.ReadWrite);
            return new(clean, x, b.Random(100), x, 2f / 255, Epsilon, 0, 1);
        });

        foreach (var (rows, length) in ((int, int)[])[(1, 1), (3, 7), (5, 3072), (700, 33), (1, 70001)])
            foreach (var (step, epsilon) in ((float, float)[])[(0.1f, 0.5f), (1, 1000), (0, 0)])
                yield return KernelCases.Of<L2Step>($"{rows}x{length}, step {step}, epsilon {epsilon}", b => new(
                    b.Random(rows * length, 0, 1), b.Random(rows * length, 0, 1), b.Random(rows * length, -1e-6f, 1e-6f), b.Output(rows * length),
                    rows, length, step, epsilon, 0, 1));
        yield return KernelCases.Of<L2Step>("no gradient, nothing moved", b => new(
            b.Values([0.5f, 0.25f, 1, 0]), b.Values([0.5f, 0.25f, 1, 0]), b.Values(new float[4]), b.Output(4), 2, 2, 1, 0.5f, 0, 1), 0);
        yield return KernelCases.Of<L2Step>("in place", b =>
        {
            View clean = b.Random(100, 0, 1), x = b.Random(100, 0, 1, Access.ReadWrite);
            return new(clean, x, b.Random(100), x, 4, 25, 0.1f, 0.5f, 0, 1);
        });
    }
}
