using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<SignStep>, IKernel<L2Step>
{
    void IKernel<SignStep>.Run(in SignStep call)
    {
        double[] clean = Load(call.Clean), x = Load(call.X), g = Load(call.Gradient);
        for (int i = 0; i < x.Length; i++)
        {
            double sign = g[i] > 0 ? 1 : g[i] < 0 ? -1 : 0;
            double inBall = Between(x[i] + call.StepSize * sign, clean[i] - call.Epsilon, clean[i] + call.Epsilon);
            x[i] = Between(inBall, call.Low, call.High);
        }
        Store(x, call.Y);
    }

    void IKernel<L2Step>.Run(in L2Step call)
    {
        double[] clean = Load(call.Clean), x = Load(call.X), g = Load(call.Gradient);
        for (int n = 0; n < call.Rows; n++)
        {
            int start = n * call.RowLength, end = start + call.RowLength;
            double scale = call.StepSize / Math.Max(Norm(g.AsSpan(start, call.RowLength)), 1e-12);
            for (int i = start; i < end; i++)
                x[i] += scale * g[i] - clean[i];
            double shrink = Math.Min(1, call.Epsilon / Math.Max(Norm(x.AsSpan(start, call.RowLength)), 1e-12));
            for (int i = start; i < end; i++)
                x[i] = Between(clean[i] + shrink * x[i], call.Low, call.High);
        }
        Store(x, call.Y);
    }

    private static double Between(double value, double low, double high) => Math.Min(Math.Max(value, low), high);

    private static double Norm(ReadOnlySpan<double> values)
    {
        double squares = 0;
        foreach (double value in values)
            squares += value * value;
        return Math.Sqrt(squares);
    }
}
