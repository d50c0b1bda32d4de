using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<MaxPool2dForward>, IKernel<MaxPool2dBackward>
{
    void IKernel<MaxPool2dForward>.Run(in MaxPool2dForward call)
    {
        double[] x = Load(call.X), y = new double[call.Y.Length], indices = new double[y.Length];
        Array.Fill(indices, -1);
        foreach (var (input, output, pixel) in WindowPixels(call.Sizes))
            for (int c = 0; c < call.Sizes.Channels; c++)
                if (indices[output + c] < 0 || x[input + c] > y[output + c] || double.IsNaN(x[input + c]))
                    (y[output + c], indices[output + c]) = (x[input + c], pixel);
        Store(y, call.Y);
        Store(indices, call.Indices);
    }

    void IKernel<MaxPool2dBackward>.Run(in MaxPool2dBackward call)
    {
        double[] dy = Load(call.Dy), dx = new double[call.Dx.Length];
        var indices = LoadIntegers(call.Indices);
        foreach (var (input, output, pixel) in WindowPixels(call.Sizes))
            for (int c = 0; c < call.Sizes.Channels; c++)
                if (indices[output + c] == pixel)
                    dx[input + c] += dy[output + c];
        Store(dx, call.Dx);
    }
}
