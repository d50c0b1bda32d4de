using System.Numerics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// One task an image: its pixels are few (16 in PreActResNet-18) and lie in a row.
public sealed unsafe partial class CpuBackend : IKernel<GlobalAveragePoolForward>, IKernel<GlobalAveragePoolBackward>
{
    void IKernel<GlobalAveragePoolForward>.Run(in GlobalAveragePoolForward call) => _workers.Run(call.Batch, new GlobalAverageJob(
        call.Pixels, call.Channels, Floats(call.X, nameof(GlobalAveragePoolForward)), Floats(call.Y, nameof(GlobalAveragePoolForward))));

    void IKernel<GlobalAveragePoolBackward>.Run(in GlobalAveragePoolBackward call) => _workers.Run(call.Batch, new GlobalAverageGradientJob(
        call.Pixels, call.Channels, Floats(call.Dy, nameof(GlobalAveragePoolBackward)), Floats(call.Dx, nameof(GlobalAveragePoolBackward))));

    private readonly struct GlobalAverageJob(int pixels, int channels, float* x, float* y) : IJob
    {
        private readonly float* _x = x, _y = y;

        public void Execute(int task, int worker) => AverageOf(
            _x + (long)task * pixels * channels, pixels, 0, 1, 0, pixels, channels, pixels, _y + (long)task * channels);
    }

    private readonly struct GlobalAverageGradientJob(int pixels, int channels, float* dy, float* dx) : IJob
    {
        private readonly float* _dy = dy, _dx = dx;

        public void Execute(int task, int worker)
        {
            float* dy = _dy + (long)task * channels, dx = _dx + (long)task * pixels * channels;
            int c = 0;
            for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
                (Vector.Load(dy + c) / new Vector<float>(pixels)).Store(dx + c);
            for (; c < channels; c++)
                dx[c] = dy[c] / pixels;
            for (int pixel = 1; pixel < pixels; pixel++)
                new ReadOnlySpan<float>(dx, channels).CopyTo(new Span<float>(dx + (long)pixel * channels, channels));
        }
    }
}
