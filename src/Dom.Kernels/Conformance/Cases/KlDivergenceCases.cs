using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class KlDivergenceCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (rows, classes) in ((int, int)[])[(1, 2), (5, 3), (128, 10), (37, 100), (9, 1000), (4097, 10)])
            foreach (float reach in (float[])[3, 200])
            {
                int count = rows * classes;
                string label = $"{rows}x{classes}, logits to {reach:G}";
                yield return KernelCases.Of<KlDivergenceForward>(label, b => new(
                    b.Random(count, -reach, reach), b.Random(count, -reach, reach), b.ParameterOutput(rows), rows, classes, 6), 3e-6);
                yield return KernelCases.Of<KlDivergenceBackward>(label, b => new(
                    b.Random(count, -reach, reach), b.Random(count, -reach, reach), b.Parameters(rows), b.Output(count), b.Output(count),
                    rows, classes, 6), 3e-6);
            }
        yield return KernelCases.Of<KlDivergenceBackward>("5x10, the first gradient alone", b => new(
            b.Random(50, -3, 3), b.Random(50, -3, 3), b.Parameters(5), b.Output(50), View.None, 5, 10, 1), 3e-6);
        yield return KernelCases.Of<KlDivergenceBackward>("5x10, the second gradient alone", b => new(
            b.Random(50, -3, 3), b.Random(50, -3, 3), b.Parameters(5), View.None, b.Output(50), 5, 10, 1), 3e-6);
        float[] logits = [1, 2, 3, float.NaN, 0, 1];
        yield return KernelCases.Of<KlDivergenceForward>("equal rows, and a NaN", b => new(
            b.Values(logits), b.Values(logits), b.ParameterOutput(2), 2, 3, 1), 1e-7);
        yield return KernelCases.Of<KlDivergenceBackward>("rows without weight, one with a NaN", b => new(
            b.Values(logits), b.Values(logits), b.ParameterValues([0, 0]), b.Output(6), b.Output(6), 2, 3, 1), 0);
    }
}
