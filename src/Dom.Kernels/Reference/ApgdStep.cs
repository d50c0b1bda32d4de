using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<ApgdSignStep>
{
    void IKernel<ApgdSignStep>.Run(in ApgdSignStep call)
    {
        double[] clean = Load(call.Clean), x = Load(call.X), previous = Load(call.Previous), g = Load(call.Gradient), steps = Load(call.StepSizes);
        for (int i = 0; i < x.Length; i++)
        {
            double step = steps[i / call.RowLength], sign = g[i] > 0 ? 1 : g[i] < 0 ? -1 : 0;
            double z = Project(x[i] + step * sign, clean[i], call);
            x[i] = Project(x[i] + call.Momentum * (z - x[i]) + (1.0 - call.Momentum) * (x[i] - previous[i]), clean[i], call);
        }
        Store(x, call.Y);
    }

    private static double Project(double value, double clean, in ApgdSignStep call) =>
        Between(Between(value, clean - call.Epsilon, clean + call.Epsilon), call.Low, call.High);
}
