using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed unsafe partial class ReferenceBackend : IKernel<CropFlip>
{
    void IKernel<CropFlip>.Run(in CropFlip call)
    {
        int[] ids = LoadIntegers(call.SampleIds);
        byte* images = (byte*)call.Images.Address;
        var y = new double[call.Y.Length];
        int at = 0;
        foreach (int id in ids)
        {
            var stream = call.Stream.ForSample(id);
            int top = stream.Below(0, 2 * call.Padding + 1) - call.Padding, left = stream.Below(1, 2 * call.Padding + 1) - call.Padding;
            bool flips = call.Flip == 1 && stream.Below(2, 2) == 1;
            for (int h = 0; h < call.Height; h++)
                for (int w = 0; w < call.Width; w++)
                {
                    int row = Reflect(top + h, call.Height), column = Reflect(left + (flips ? call.Width - 1 - w : w), call.Width);
                    for (int c = 0; c < call.Channels; c++)
                        y[at++] = images[(((long)id * call.Height + row) * call.Width + column) * call.Channels + c] / 255.0;
                }
        }
        Store(y, call.Y);
    }

    private static int Reflect(int i, int size) => i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;
}
