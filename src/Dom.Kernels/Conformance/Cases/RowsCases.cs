using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class RowsCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (samples, rows, length) in ((int, int, int)[])[(1, 1, 1), (5, 3, 7), (20, 40, 3072), (900, 700, 33), (3, 2, 20001)])
        {
            string label = $"{rows} of {samples}x{length}";
            yield return KernelCases.Of<GatherRows>(label, b => new(
                b.Random(samples * length), b.Integers(rows, samples), b.Output(rows * length), rows, length), 0);
            yield return KernelCases.Of<GatherRows>($"{label}, bytes", b => new(
                b.Bytes(samples * length), b.Integers(rows, samples), b.ByteOutput(rows * length), rows, length), 0);
            yield return KernelCases.Of<GatherRows>($"{label}, integers", b => new(
                b.Integers(samples * length, 1 << 30), b.Integers(rows, samples), b.IntegerOutput(rows * length), rows, length), 0);
            int distinct = Math.Min(rows, samples);
            yield return KernelCases.Of<ScatterRows>(label, b => new(
                b.Random(distinct * length), b.Integers(Distinct(distinct, samples)), b.Random(samples * length, access: Access.ReadWrite),
                distinct, length), 0);
            yield return KernelCases.Of<BlendRows>(label, b => new(
                b.Random(rows * length), b.Random(rows * length), b.Parameters(rows, 0, 1), b.Output(rows * length), rows, length));
        }
        float[] one = [1, 2, float.NaN, 4, float.PositiveInfinity, 6], other = [float.NaN, -2, 3, float.NegativeInfinity, 5, -6];
        yield return KernelCases.Of<BlendRows>("weights 0, 1 and 1/2", b => new(
            b.Values(one), b.Values(other), b.ParameterValues([0, 1, 0.5f]), b.Output(6), 3, 2), 0);
    }

    /// <summary>The last rows, backwards.</summary>
    private static int[] Distinct(int count, int samples) => Enumerable.Range(0, count).Select(n => samples - 1 - n).ToArray();
}
