using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class ElementwiseCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (int count in (int[])[1, 7, 16, 33, 1000, 70001])
        {
            yield return KernelCases.Of<Fill>($"{count}", b => new(b.Output(count), 0.25f), 0);
            yield return KernelCases.Of<Copy>($"{count}", b => new(b.Random(count), b.Output(count)), 0);
            yield return KernelCases.Of<AddForward>($"{count}", b => new(b.Random(count), b.Random(count), b.Output(count)));
            yield return KernelCases.Of<Accumulate>($"{count}", b => new(b.Random(count), b.Random(count, access: Access.ReadWrite)));
            yield return KernelCases.Of<ReluForward>($"{count}", b => new(b.Random(count), b.Output(count)), 0);
            yield return KernelCases.Of<ReluBackward>($"{count}", b => new(b.Random(count), b.Random(count), b.Output(count)), 0);
        }
        float[] special = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -0f, 1e-40f, -1e-40f, float.MaxValue];
        yield return KernelCases.Of<ReluForward>("special values", b => new(b.Values(special), b.Output(8)), 0);
    }
}
