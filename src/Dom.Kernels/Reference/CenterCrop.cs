using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend : IKernel<CenterCropForward>, IKernel<CenterCropBackward>
{
    void IKernel<CenterCropForward>.Run(in CenterCropForward call)
    {
        double[] x = Load(call.X), y = new double[call.Y.Length];
        int m = call.Margin, height = call.Height - 2 * m, width = call.Width - 2 * m;
        for (int n = 0; n < call.Batch; n++)
            for (int h = 0; h < height; h++)
                for (int w = 0; w < width; w++)
                    for (int c = 0; c < call.Channels; c++)
                        y[((n * height + h) * width + w) * call.Channels + c] =
                            x[((n * call.Height + h + m) * call.Width + w + m) * call.Channels + c];
        Store(y, call.Y);
    }

    void IKernel<CenterCropBackward>.Run(in CenterCropBackward call)
    {
        double[] dy = Load(call.Dy), dx = new double[call.Dx.Length];
        int m = call.Margin, height = call.Height - 2 * m, width = call.Width - 2 * m;
        for (int n = 0; n < call.Batch; n++)
            for (int h = 0; h < height; h++)
                for (int w = 0; w < width; w++)
                    for (int c = 0; c < call.Channels; c++)
                        dx[((n * call.Height + h + m) * call.Width + w + m) * call.Channels + c] =
                            dy[((n * height + h) * width + w) * call.Channels + c];
        Store(dx, call.Dx);
    }
}
