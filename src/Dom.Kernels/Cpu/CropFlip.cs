using System.Diagnostics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// One task an image. A pixel costs one look-up in a table of the 256 possible results, 1 KiB of first-level cache, which beats widening
// vectors here: rows are short and half of them run backwards.
public sealed unsafe partial class CpuBackend : IKernel<CropFlip>
{
    private static readonly float[] s_pixelValues = [.. Enumerable.Range(0, 256).Select(pixel => pixel / 255f)];

    void IKernel<CropFlip>.Run(in CropFlip call)
    {
        const string Name = nameof(CropFlip);
        fixed (float* values = s_pixelValues)
            _workers.Run(call.Rows, new CropFlipJob((byte*)call.Images.Address, (int*)call.SampleIds.Address, Floats(call.Y, Name), values, call));
    }

    private readonly struct CropFlipJob(byte* images, int* ids, float* y, float* values, CropFlip call) : IJob
    {
        private readonly byte* _images = images;
        private readonly int* _ids = ids;
        private readonly float* _y = y, _values = values;

        public void Execute(int task, int worker)
        {
            int id = _ids[task], offsets = 2 * call.Padding + 1;
            long size = (long)call.Height * call.Width * call.Channels;
            Debug.Assert(id >= 0 && (id + 1) * size <= call.Images.Length, "sample ids are rows of the data set");
            var stream = call.Stream.ForSample(id);
            int top = stream.Below(0, offsets) - call.Padding, left = stream.Below(1, offsets) - call.Padding;
            bool flips = call.Flip == 1 && stream.Below(2, 2) == 1;
            byte* image = _images + id * size;
            float* y = _y + task * size;
            for (int h = 0; h < call.Height; h++, y += call.Width * call.Channels)
                Row(image + (long)Reflected(top + h, call.Height) * call.Width * call.Channels, y, left, flips);
        }

        private void Row(byte* source, float* y, int left, bool flips)
        {
            if (left == 0 && !flips)
            {
                for (int i = 0; i < call.Width * call.Channels; i++)
                    y[i] = _values[source[i]];
                return;
            }
            int channels = call.Channels, first = flips ? left + call.Width - 1 : left, step = flips ? -1 : 1;
            for (int w = 0; w < call.Width; w++, y += channels)
            {
                byte* pixel = source + Reflected(first + w * step, call.Width) * channels;
                for (int c = 0; c < channels; c++)
                    y[c] = _values[pixel[c]];
            }
        }

        private static int Reflected(int i, int size) => i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;
    }
}
