using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class LossThresholdCases
{
    private const int Above = (int)LossComparison.KeepAbove, AtOrAbove = (int)LossComparison.KeepAtOrAbove;

    public static IEnumerable<KernelCase> All()
    {
        foreach (int rows in (int[])[1, 5, 128, 257, 2049])
            foreach (int comparison in (int[])[Above, AtOrAbove])
            {
                yield return Of($"{rows}, 0.4 of the mean, comparison {comparison}", rows, -1, 0.4f, comparison);
                foreach (var (lower, fraction) in ((int, float)[])[(0, 0), (rows / 2, 0.25f), (rows - 1, 0)])
                    yield return Of($"{rows}, place {lower} + {fraction}, comparison {comparison}", rows, lower, fraction, comparison);
            }
        // All powers of two: the mean, 2, and the thresholds are exact, and some losses lie on them.
        foreach (int comparison in (int[])[Above, AtOrAbove])
        {
            yield return Given($"a loss equal to half the mean, comparison {comparison}", [1, 4, 0.5f, 2.5f], -1, 0.5f, comparison);
            yield return Given($"ties, comparison {comparison}", [2, 1, 2, 2, 0], 2, 0.5f, comparison);
            yield return Given($"all equal, comparison {comparison}", [3, 3, 3, 3], 1, 0.75f, comparison);
            yield return Given($"a NaN and the mean, comparison {comparison}", [1, float.NaN, 3], -1, 1, comparison);
            yield return Given($"a NaN and a quantile, comparison {comparison}", [1, float.NaN, 3], 0, 0, comparison);
            yield return Given($"infinities, comparison {comparison}", [float.PositiveInfinity, 1, float.PositiveInfinity], 1, 0.5f, comparison);
        }
    }

    private static KernelCase Of(string label, int rows, int lower, float factor, int comparison) => KernelCases.Of<LossThreshold>(label, b => new(
        b.Parameters(rows, 0, 3), b.ParameterOutput(rows), b.ParameterOutput(1), rows, lower, factor, comparison));

    private static KernelCase Given(string label, float[] losses, int lower, float factor, int comparison) => KernelCases.Of<LossThreshold>(label, b => new(
        b.ParameterValues(losses), b.ParameterOutput(losses.Length), b.ParameterOutput(1), losses.Length, lower, factor, comparison), 0);
}
