using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<FabStep>
{
    void IKernel<FabStep>.Run(in FabStep call)
    {
        double[] clean = Load(call.Clean), x = Load(call.X), w = Load(call.Gradient), differences = Load(call.Differences);
        var distances = new double[call.Rows];
        for (int n = 0; n < call.Rows; n++)
        {
            int start = n * call.RowLength;
            distances[n] = FabRow(
                clean.AsSpan(start, call.RowLength), x.AsSpan(start, call.RowLength), w.AsSpan(start, call.RowLength), differences[n], call);
        }
        Store(x, call.Y);
        Store(distances, call.Distances);
    }

    /// <summary>Moves a row of x; how far it then is from the clean one.</summary>
    private static double FabRow(ReadOnlySpan<double> clean, Span<double> x, ReadOnlySpan<double> w, double difference, in FabStep call)
    {
        double ofClean = difference, distance = 0;
        for (int i = 0; i < x.Length; i++)
            ofClean += w[i] * (clean[i] - x[i]);
        if (double.IsFinite(difference) && double.IsFinite(ofClean))
        {
            double[] fromX = StepToHyperplane(x, w, difference, call.Low, call.High), fromClean = StepToHyperplane(clean, w, ofClean, call.Low, call.High);
            double norm = Math.Max(fromX.Max(Math.Abs), 1e-8), cleanNorm = Math.Max(fromClean.Max(Math.Abs), 1e-8);
            double pull = Math.Min(norm / (norm + cleanNorm), call.MaximumPull);
            for (int i = 0; i < x.Length; i++)
            {
                double moved = (1 - pull) * (x[i] + call.Overshoot * fromX[i]) + pull * (clean[i] + call.Overshoot * fromClean[i]);
                x[i] = Between(moved, call.Low, call.High);
            }
        }
        for (int i = 0; i < x.Length; i++)
            distance = Math.Max(distance, Math.Abs(x[i] - clean[i]));
        return distance;
    }

    /// <summary>The smallest step in the maximum norm that takes &lt;w, p&gt; down by <paramref name="residual"/> (up, where that is negative) inside the box.</summary>
    private static double[] StepToHyperplane(ReadOnlySpan<double> p, ReadOnlySpan<double> w, double residual, double low, double high)
    {
        var direction = new double[p.Length];
        var room = new double[p.Length];
        for (int i = 0; i < p.Length; i++)
        {
            direction[i] = -(residual >= 0 ? 1 : -1) * (w[i] > 0 ? 1 : w[i] < 0 ? -1 : 0);
            room[i] = direction[i] > 0 ? high - p[i] : p[i] - low;
        }
        double bound = Bound(room, w, Math.Abs(residual));
        for (int i = 0; i < p.Length; i++)
            direction[i] *= Math.Min(bound, room[i]);
        return direction;
    }

    /// <summary>The lambda with sum |w_i| min(lambda, room_i) = target: coordinates run into the box in the order of their room. Infinite where there is none.</summary>
    private static double Bound(double[] room, ReadOnlySpan<double> w, double target)
    {
        var weights = new double[w.Length];
        for (int i = 0; i < w.Length; i++)
            weights[i] = Math.Abs(w[i]);
        Array.Sort((double[])room.Clone(), weights); // sorts the weights by room
        double[] sorted = [.. room.Order()];
        var slopes = new double[w.Length + 1]; // slopes[i]: the weights from the i-th coordinate on
        for (int i = w.Length - 1; i >= 0; i--)
            slopes[i] = slopes[i + 1] + weights[i];
        double filled = 0;
        for (int i = 0; i < w.Length; i++)
        {
            if (slopes[i] > 0 && filled + slopes[i] * sorted[i] >= target)
                return (target - filled) / slopes[i];
            filled += weights[i] * sorted[i];
        }
        return double.PositiveInfinity;
    }
}
