using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class SoftmaxCrossEntropyCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (rows, classes) in ((int, int)[])[(1, 2), (5, 3), (128, 10), (37, 100), (9, 1000), (4097, 10)])
            foreach (float reach in (float[])[3, 1e4f])
            {
                int count = rows * classes;
                string label = $"{rows}x{classes}, logits to {reach:G}";
                yield return KernelCases.Of<SoftmaxCrossEntropyForward>(label, b => new(
                    b.Random(count, -reach, reach), b.Integers(rows, classes), b.ParameterOutput(rows), rows, classes));
                yield return KernelCases.Of<SoftmaxCrossEntropyBackward>(label, b => new(
                    b.Random(count, -reach, reach), b.Integers(rows, classes), b.Parameters(rows), b.Output(count), rows, classes), 3e-6);
                foreach (var comparison in Enum.GetValues<LossComparison>())
                    foreach (float divisor in (float[])[rows, 0])
                        yield return KernelCases.Of<SoftmaxCrossEntropyStep>($"{label}, {comparison}, divisor {divisor}", b => new(
                            b.Random(count, -reach, reach), b.Integers(rows, classes), b.Integers(Distinct(rows)), b.Parameters(rows, 0.5f, 1.5f),
                            b.ParameterOutput(rows), b.ParameterOutput(rows), b.Output(count),
                            b.Parameters((3 * rows + 1) * LedgerRow.Count, access: Access.ReadWrite),
                            rows, classes, reach / 2, (int)comparison, divisor), 3e-6);
            }
        yield return Special("ties: the first of the largest logits wins", [1, 1, 1, -2, 5, 5, 5, 5, 0, 0, 0, 1], [1, 0, 3]);
        yield return Special("loss equal to the threshold", [0, 2000, -5, -5, 2000, 0, -5, -5, 0, 2001, 1, 1], [0, 0, 0], 2000);
        yield return Special("NaN and infinite logits",
            [float.NaN, 1, 2, 3, 0, float.PositiveInfinity, 1, 2, float.NegativeInfinity, 1, 2, 3], [1, 0, 0], 1);
        yield return Special("nothing kept", [1, 2, 3, 4, 4, 3, 2, 1, 1, 3, 2, 4], [0, 1, 2], 1000);
        yield return KernelCases.Of<SoftmaxCrossEntropyStep>("losses only", b => new(
            b.Random(70), b.Integers(7, 10), View.None, View.None, b.ParameterOutput(7), View.None, View.None, View.None,
            7, 10, 0, (int)LossComparison.KeepAll, 7));
        yield return KernelCases.Of<SoftmaxCrossEntropyStep>("gradient without ledger, mask and weights", b => new(
            b.Random(70), b.Integers(7, 10), View.None, View.None, b.ParameterOutput(7), View.None, b.Output(70), View.None,
            7, 10, 2.3f, (int)LossComparison.KeepAbove, 0), 3e-6);
    }

    /// <summary>Three rows of four classes, all outputs, the inclusive comparison, divided by the kept rows.</summary>
    private static KernelCase Special(string label, float[] logits, int[] labels, float threshold = 0) =>
        KernelCases.Of<SoftmaxCrossEntropyStep>(label, b => new(
            b.Values(logits), b.Integers(labels), b.Integers([4, 0, 2]), View.None, b.ParameterOutput(3), b.ParameterOutput(3), b.Output(12),
            b.Parameters(5 * LedgerRow.Count, access: Access.ReadWrite), 3, 4, threshold, (int)LossComparison.KeepAtOrAbove, 0));

    /// <summary>Rows of the ledger out of order, with gaps that must stay as they are.</summary>
    private static int[] Distinct(int rows) => Enumerable.Range(0, rows).Select(n => 3 * (rows - 1 - n) + 1).ToArray();
}
