using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class ApgdStepCases
{
    private const float Epsilon = 8f / 255;

    public static IEnumerable<KernelCase> All()
    {
        foreach (var (rows, length) in ((int, int)[])[(1, 1), (3, 7), (5, 3072), (700, 33), (1, 70001)])
        {
            int count = rows * length;
            foreach (float momentum in (float[])[1, 0.75f])
                yield return KernelCases.Of<ApgdSignStep>($"{rows}x{length}, momentum {momentum}", b => new(
                    b.Random(count, 0, 1), b.Random(count, 0, 1), b.Random(count, 0, 1), b.Random(count), b.Parameters(rows, -2 * Epsilon, 2 * Epsilon),
                    b.Output(count), rows, length, momentum, Epsilon, 0, 1));
            // Far from all bounds nothing is clipped, so that the momentum shows.
            yield return KernelCases.Of<ApgdSignStep>($"{rows}x{length}, wide", b => new(
                b.Random(count, 0, 1), b.Random(count, 0, 1), b.Random(count, 0, 1), b.Random(count), b.Parameters(rows),
                b.Output(count), rows, length, 0.75f, 50, -100, 100));
        }
        float[] special = [0, -0f, float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1e-40f, -1e-40f, 1, -1, 2];
        yield return KernelCases.Of<ApgdSignStep>("special gradients", b => new(
            b.Random(10, 0, 1), b.Random(10, 0, 1), b.Random(10, 0, 1), b.Values(special), b.ParameterValues([0.3f, 0.1f]), b.Output(10),
            2, 5, 0.75f, 0.5f, 0, 1));
        yield return KernelCases.Of<ApgdSignStep>("in place of x", b =>
        {
            View clean = b.Random(100, 0, 1), x = b.Random(100, 0, 1, Access.ReadWrite);
            return new(clean, x, b.Random(100, 0, 1), b.Random(100), b.Parameters(4), x, 4, 25, 0.75f, Epsilon, 0, 1);
        });
        yield return KernelCases.Of<ApgdSignStep>("in place of the one before", b =>
        {
            View clean = b.Random(96, 0, 1), x = b.Random(96, 0, 1), previous = b.Random(96, 0, 1, Access.ReadWrite);
            return new(clean, x, previous, b.Random(96), b.Parameters(3), previous, 3, 32, 0.75f, Epsilon, 0, 1);
        });
    }
}
