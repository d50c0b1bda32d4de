using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// Copies of rows; one task an image.
public sealed unsafe partial class CpuBackend : IKernel<CenterCropForward>, IKernel<CenterCropBackward>
{
    void IKernel<CenterCropForward>.Run(in CenterCropForward call) => _workers.Run(call.Batch, new CropJob(
        Floats(call.X, nameof(CenterCropForward)), Floats(call.Y, nameof(CenterCropForward)),
        call.Height, call.Width, call.Channels, call.Margin, backward: false));

    void IKernel<CenterCropBackward>.Run(in CenterCropBackward call) => _workers.Run(call.Batch, new CropJob(
        Floats(call.Dx, nameof(CenterCropBackward)), Floats(call.Dy, nameof(CenterCropBackward)),
        call.Height, call.Width, call.Channels, call.Margin, backward: true));

    private readonly struct CropJob(float* large, float* small, int height, int width, int channels, int margin, bool backward) : IJob
    {
        private readonly float* _large = large, _small = small;

        public void Execute(int task, int worker)
        {
            int rows = height - 2 * margin, rowLength = (width - 2 * margin) * channels;
            float* large = _large + (long)task * height * width * channels, small = _small + (long)task * rows * rowLength;
            if (backward)
                new Span<float>(large, height * width * channels).Clear();
            for (int row = 0; row < rows; row++)
            {
                var inside = new Span<float>(large + ((row + margin) * width + margin) * channels, rowLength);
                var outside = new Span<float>(small + row * rowLength, rowLength);
                if (backward)
                    outside.CopyTo(inside);
                else
                    inside.CopyTo(outside);
            }
        }
    }
}
