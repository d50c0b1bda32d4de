using System.Numerics;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// One task a row of the result; the backward pass gathers, as that of the average pooling.
public sealed unsafe partial class CpuBackend : IKernel<MaxPool2dForward>, IKernel<MaxPool2dBackward>
{
    void IKernel<MaxPool2dForward>.Run(in MaxPool2dForward call) => _workers.Run(
        call.Sizes.Batch * call.Sizes.OutputHeight,
        new MaxPool2dJob(
            call.Sizes, Floats(call.X, nameof(MaxPool2dForward)), Floats(call.Y, nameof(MaxPool2dForward)), (int*)call.Indices.Address));

    void IKernel<MaxPool2dBackward>.Run(in MaxPool2dBackward call) => _workers.Run(
        call.Sizes.Batch * call.Sizes.Height,
        new MaxPool2dGradientJob(
            call.Sizes, Floats(call.Dy, nameof(MaxPool2dBackward)), (int*)call.Indices.Address, Floats(call.Dx, nameof(MaxPool2dBackward))));

    private readonly struct MaxPool2dJob(Pool2dSizes sizes, float* x, float* y, int* indices) : IJob
    {
        private readonly float* _x = x, _y = y;
        private readonly int* _indices = indices;

        public void Execute(int task, int worker)
        {
            int n = task / sizes.OutputHeight, p = task % sizes.OutputHeight, channels = sizes.Channels;
            float* image = _x + (long)n * sizes.Height * sizes.Width * channels;
            for (int q = 0; q < sizes.OutputWidth; q++)
            {
                long at = ((long)task * sizes.OutputWidth + q) * channels;
                int c = 0;
                for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
                    WinnersOf(image + c, p, q, _y + at + c, _indices + at + c);
                for (; c < channels; c++)
                    WinnerOf(image + c, p, q, out _y[at + c], out _indices[at + c]);
            }
        }

        private void WinnersOf(float* image, int p, int q, float* y, int* index)
        {
            var best = new Vector<float>(float.NegativeInfinity);
            var winner = new Vector<int>(sizes.FirstRow(p) * sizes.Width + sizes.FirstColumn(q));
            for (int h = sizes.FirstRow(p); h < sizes.EndRow(p); h++)
                for (int w = sizes.FirstColumn(q); w < sizes.EndColumn(q); w++)
                {
                    int pixel = h * sizes.Width + w;
                    var value = Vector.Load(image + (long)pixel * sizes.Channels);
                    var wins = Vector.GreaterThan(value, best) | Vector.OnesComplement(Vector.Equals(value, value));
                    best = Vector.ConditionalSelect(wins, value, best);
                    winner = Vector.ConditionalSelect(wins, new Vector<int>(pixel), winner);
                }
            best.Store(y);
            winner.Store(index);
        }

        private void WinnerOf(float* image, int p, int q, out float y, out int index)
        {
            y = float.NegativeInfinity;
            index = sizes.FirstRow(p) * sizes.Width + sizes.FirstColumn(q);
            for (int h = sizes.FirstRow(p); h < sizes.EndRow(p); h++)
                for (int w = sizes.FirstColumn(q); w < sizes.EndColumn(q); w++)
                {
                    int pixel = h * sizes.Width + w;
                    float value = image[(long)pixel * sizes.Channels];
                    if (value > y || float.IsNaN(value))
                        (y, index) = (value, pixel);
                }
        }
    }

    private readonly struct MaxPool2dGradientJob(Pool2dSizes sizes, float* dy, int* indices, float* dx) : IJob
    {
        private readonly float* _dy = dy, _dx = dx;
        private readonly int* _indices = indices;

        public void Execute(int task, int worker)
        {
            int n = task / sizes.Height, h = task % sizes.Height, channels = sizes.Channels;
            for (int w = 0; w < sizes.Width; w++)
            {
                float* dx = _dx + ((long)task * sizes.Width + w) * channels;
                new Span<float>(dx, channels).Clear();
                for (int p = sizes.FirstOutputRow(h); p < sizes.EndOutputRow(h); p++)
                    for (int q = sizes.FirstOutputColumn(w); q < sizes.EndOutputColumn(w); q++)
                    {
                        long at = (((long)n * sizes.OutputHeight + p) * sizes.OutputWidth + q) * channels;
                        AddWhereWon(_dy + at, _indices + at, h * sizes.Width + w, dx);
                    }
            }
        }

        private void AddWhereWon(float* dy, int* winner, int pixel, float* dx)
        {
            int c = 0;
            for (; c <= sizes.Channels - Vector<float>.Count; c += Vector<float>.Count)
            {
                var won = Vector.Equals(Vector.Load(winner + c), new Vector<int>(pixel));
                (Vector.Load(dx + c) + Vector.ConditionalSelect(Vector.AsVectorSingle(won), Vector.Load(dy + c), Vector<float>.Zero)).Store(dx + c);
            }
            for (; c < sizes.Channels; c++)
                if (winner[c] == pixel)
                    dx[c] += dy[c];
        }
    }
}
