using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<LogitLossStep>
{
    void IKernel<LogitLossStep>.Run(in LogitLossStep call)
    {
        double[] logits = Load(call.Logits), losses = new double[call.Rows], predictions = new double[call.Rows];
        int[] labels = LoadIntegers(call.Labels), targets = call.Targets.IsNone ? labels : LoadIntegers(call.Targets);
        for (int n = 0; n < call.Rows; n++)
        {
            var row = logits.AsSpan(n * call.Classes, call.Classes);
            (losses[n], predictions[n]) = LogitLossOfRow((LogitLossKind)call.Kind, row, labels[n], targets[n]);
        }
        Store(losses, call.Losses);
        Store(predictions, call.Predictions);
        Store(logits, call.DLogits);
    }

    /// <summary>Loss and prediction of a row, in whose place its gradient comes.</summary>
    private static (double Loss, int Prediction) LogitLossOfRow(LogitLossKind kind, Span<double> row, int label, int target)
    {
        double[] z = row.ToArray();
        row.Clear();
        if (z.Any(double.IsNaN))
            return (double.NaN, -1);
        int[] order = [.. Enumerable.Range(0, z.Length).OrderByDescending(c => z[c])]; // stable: a tie goes to the class that comes first
        int other = kind is LogitLossKind.Margin or LogitLossKind.Dlr ? order[order[0] == label ? 1 : 0] : target;
        double difference = z[label] - z[other];
        switch (kind)
        {
            case LogitLossKind.Margin:
                row[label] += 1;
                row[other] -= 1;
                return (difference, order[0]);
            case LogitLossKind.Difference:
                row[label] -= 1;
                row[other] += 1;
                return (-difference, order[0]);
            default:
                int third = order[2], fourth = kind == LogitLossKind.Dlr ? third : order[3];
                double spread = 0.5 * (z[order[0]] - z[third] + (z[order[0]] - z[fourth])) + 1e-12, slope = difference / (spread * spread);
                row[label] -= 1 / spread;
                row[other] += 1 / spread;
                row[order[0]] += slope;
                row[third] -= slope / 2;
                row[fourth] -= slope / 2;
                return (-difference / spread, order[0]);
        }
    }
}
