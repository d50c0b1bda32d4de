using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// One task a chain: an image of bytes goes to and fro between two buffers of the worker, which lie in its first-level cache where images are small. Operations that look
// at one value alone (most of them) are a table of 256 values a channel. All arithmetic rounds as the reference's does, so the bytes are the same.
public sealed unsafe partial class CpuBackend : IKernel<ImageChains>, IKernel<MixChains>
{
    void IKernel<ImageChains>.Run(in ImageChains call)
    {
        const string Name = nameof(ImageChains);
        fixed (float* values = s_pixelValues)
            _workers.Run(call.Rows, new ImageChainsJob(
                this, Floats(call.Images, Name), (int*)call.Operations.Address, Floats(call.Parameters, Name), Floats(call.Y, Name), values, call));
    }

    void IKernel<MixChains>.Run(in MixChains call)
    {
        const string Name = nameof(MixChains);
        fixed (float* values = s_pixelValues)
            _workers.Run(call.Rows, new MixChainsJob(
                Floats(call.Images, Name), Floats(call.Chains, Name), Floats(call.Weights, Name), Floats(call.Y, Name), values, call));
    }

    private static byte ToByte(float pixel) => Truncated(pixel * 255.999f);

    /// <summary>The integer below, in 0..255; 0 for NaN.</summary>
    private static byte Truncated(float v) => v > 0 ? (byte)MathF.Min(v, 255) : (byte)0;

    private readonly struct ImageChainsJob(
        CpuBackend backend, float* images, int* operations, float* parameters, float* y, float* values, ImageChains call) : IJob
    {
        private readonly float* _images = images, _parameters = parameters, _y = y, _values = values;
        private readonly int* _operations = operations;

        public void Execute(int task, int worker)
        {
            int size = call.Height * call.Width * call.Channels;
            byte* x = (byte*)backend.ScratchOf(worker).Floats((2L * size + 3) / 4), other = x + size;
            float* image = _images + (long)(task / call.ChainsPerImage) * size, y = _y + (long)task * size;
            for (int i = 0; i < size; i++)
                x[i] = ToByte(image[i]);
            for (int step = task * call.Length; step < (task + 1) * call.Length; step++)
                if (Changes((ImageOperation)_operations[step], x, other, _parameters + 6L * step))
                {
                    byte* changed = other;
                    other = x;
                    x = changed;
                }
            for (int i = 0; i < size; i++)
                y[i] = _values[x[i]];
        }

        /// <summary>Changes x in place, or writes the changed image to y and says so.</summary>
        private bool Changes(ImageOperation operation, byte* x, byte* y, float* p)
        {
            switch (operation)
            {
                case ImageOperation.Identity:
                    return false;
                case <= ImageOperation.Rotate:
                    var geometry = new ImageGeometry(call.Height, call.Width, call.Channels, p);
                    if (call.Sampling == (int)ImageSampling.Nearest)
                        geometry.Nearest(x, y);
                    else
                        geometry.Bilinear(x, y);
                    return true;
                case ImageOperation.Color:
                    Colored(x, p);
                    return false;
                case ImageOperation.Sharpness:
                    Sharpened(x, y, p);
                    return true;
                default:
                    ImageTables.Apply(operation, x, call.Height * call.Width, call.Channels, p);
                    return false;
            }
        }

        private void Colored(byte* x, float* p)
        {
            if (call.Channels == 1)
                return;
            for (byte* pixel = x; pixel < x + call.Height * call.Width * 3; pixel += 3)
            {
                float gray = ImageTables.Gray(pixel);
                for (int c = 0; c < 3; c++)
                    pixel[c] = ImageTables.Blend(pixel[c], gray, p);
            }
        }

        private void Sharpened(byte* x, byte* y, float* p)
        {
            int line = call.Width * call.Channels, size = call.Height * line;
            bool isTooSmall = call.Height < 3 || call.Width < 3;
            for (int i = 0; i < size; i++)
            {
                int column = i % line;
                bool isInside = i >= line && i < size - line && column >= call.Channels && column < line - call.Channels;
                y[i] = isTooSmall ? x[i] : ImageTables.Blend(x[i], isInside ? Smoothed(x + i, line) : x[i], p);
            }
        }

        private int Smoothed(byte* x, int line)
        {
            int c = call.Channels, sum = 5 * x[0] + x[-c] + x[c];
            byte* above = x - line, below = x + line;
            sum += above[-c] + above[0] + above[c] + below[-c] + below[0] + below[c];
            return (2 * sum + 13) / 26; // to the nearest; an odd divisor has no ties
        }
    }

    private readonly struct MixChainsJob(float* images, float* chains, float* weights, float* y, float* values, MixChains call) : IJob
    {
        private readonly float* _images = images, _chains = chains, _weights = weights, _y = y, _values = values;

        public void Execute(int task, int worker)
        {
            float* image = _images + (long)task * call.RowLength, y = _y + (long)task * call.RowLength;
            float* chains = _chains + (long)task * call.ChainCount * call.RowLength, weights = _weights + task * (call.ChainCount + 1);
            for (int i = 0; i < call.RowLength; i++)
            {
                float sum = weights[0] * ToByte(image[i]);
                for (int k = 0; k < call.ChainCount; k++)
                {
                    float part = weights[k + 1] * ToByte(chains[(long)k * call.RowLength + i]);
                    sum += part;
                }
                y[i] = _values[Truncated(sum)];
            }
        }
    }
}
