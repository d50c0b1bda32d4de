using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<SquareStripes>, IKernel<SquareWindow>
{
    void IKernel<SquareStripes>.Run(in SquareStripes call)
    {
        double[] x = Load(call.Clean);
        int[] ids = LoadIntegers(call.SampleIds);
        int i = 0;
        for (int n = 0; n < call.Rows; n++)
            for (int h = 0; h < call.Height; h++)
                for (int j = 0; j < call.Width * call.Channels; j++, i++)
                {
                    double sign = call.Stream.ForSample(ids[n]).Uniform(j) >= 0.5 ? 1 : -1;
                    x[i] = Between(x[i] + call.Epsilon * sign, call.Low, call.High);
                }
        Store(x, call.Y);
    }

    void IKernel<SquareWindow>.Run(in SquareWindow call)
    {
        double[] clean = Load(call.Clean), x = Load(call.X), signs = Load(call.Signs);
        for (int n = 0; n < call.Rows; n++)
            for (int h = call.Top; h < call.Top + call.Side; h++)
                for (int w = call.Left; w < call.Left + call.Side; w++)
                    for (int c = 0; c < call.Channels; c++)
                    {
                        int i = ((n * call.Height + h) * call.Width + w) * call.Channels + c;
                        double inBall = Between(x[i] + 2.0 * call.Epsilon * signs[c], clean[i] - call.Epsilon, clean[i] + call.Epsilon);
                        x[i] = Between(inBall, call.Low, call.High);
                    }
        Store(x, call.Y);
    }
}
