using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class LogitLossCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var kind in Enum.GetValues<LogitLossKind>())
        {
            foreach (var (rows, classes) in ((int, int)[])[(2, 4), (5, 5), (128, 10), (37, 100), (9, 1000), (4097, 10)])
                foreach (float reach in (float[])[3, 1e3f])
                    yield return KernelCases.Of<LogitLossStep>($"{kind}, {rows}x{classes}, logits to {reach:G}", b => new(
                        b.Random(rows * classes, -reach, reach), b.Integers(rows, classes), b.Integers(rows, classes), b.ParameterOutput(rows),
                        b.IntegerOutput(rows), b.Output(rows * classes), rows, classes, (int)kind), 2e-6);
            yield return Special($"{kind}: a tie goes to the first class", kind,
                [1, 1, 1, -2, 0, 5, 5, 5, 2, 2, 3, -3, 3, 3, 1], [1, 4, 3]);
            yield return Special($"{kind}: NaN has no loss and no gradient", kind,
                [float.NaN, 1, 2, 3, 4, 1, 2, 3, 4, float.NaN, 5, 4, 3, 2, 1], [0, 3, 1]);
        }
        yield return KernelCases.Of<LogitLossStep>("margin of two classes", b => new(
            b.Random(40), b.Integers(20, 2), View.None, b.ParameterOutput(20), b.IntegerOutput(20), b.Output(40), 20, 2, (int)LogitLossKind.Margin), 2e-6);
        yield return KernelCases.Of<LogitLossStep>("DLR of three classes", b => new(
            b.Random(60), b.Integers(20, 3), View.None, b.ParameterOutput(20), b.IntegerOutput(20), b.Output(60), 20, 3, (int)LogitLossKind.Dlr), 2e-6);
        yield return KernelCases.Of<LogitLossStep>("losses only", b => new(
            b.Random(70), b.Integers(7, 10), b.Integers(7, 10), b.ParameterOutput(7), View.None, View.None, 7, 10, (int)LogitLossKind.TargetedDlr), 2e-6);
    }

    /// <summary>Three rows of five classes, towards the classes 0, 2 and 4.</summary>
    private static KernelCase Special(string label, LogitLossKind kind, float[] logits, int[] labels) =>
        KernelCases.Of<LogitLossStep>(label, b => new(
            b.Values(logits), b.Integers(labels), b.Integers([0, 2, 4]), b.ParameterOutput(3), b.IntegerOutput(3), b.Output(15), 3, 5, (int)kind));
}
