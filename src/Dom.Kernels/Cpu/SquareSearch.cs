using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend : IKernel<SquareStripes>, IKernel<SquareWindow>
{
    void IKernel<SquareStripes>.Run(in SquareStripes call)
    {
        var pieces = new RowPieces(call.Rows, call.Width * call.Channels);
        _workers.Run(pieces.Count, new SquareStripesJob(
            pieces, Floats(call.Clean, nameof(SquareStripes)), (int*)call.SampleIds.Address, Floats(call.Y, nameof(SquareStripes)), call));
    }

    void IKernel<SquareWindow>.Run(in SquareWindow call)
    {
        const string Name = nameof(SquareWindow);
        int rowsPerTask = RowsPerTask((long)call.Height * call.Width * call.Channels * sizeof(float));
        _workers.Run((call.Rows + rowsPerTask - 1) / rowsPerTask, new SquareWindowJob(
            Floats(call.Clean, Name), Floats(call.X, Name), Floats(call.Signs, Name), Floats(call.Y, Name), call, rowsPerTask));
    }

    /// <summary>A piece of an image's columns: the signs are drawn once and serve all its lines.</summary>
    private readonly struct SquareStripesJob(RowPieces pieces, float* clean, int* ids, float* y, SquareStripes call) : IJob
    {
        private readonly float* _clean = clean, _y = y;
        private readonly int* _ids = ids;

        public void Execute(int task, int worker)
        {
            uint* words = stackalloc uint[WordsAtOnce];
            var (row, start, end) = pieces[task];
            var sample = call.Stream.ForSample(_ids[row]);
            for (int first = start; first < end; first += WordsAtOnce)
            {
                int count = Math.Min(WordsAtOnce, end - first);
                DrawWords(sample, first, count, words);
                for (int h = 0; h < call.Height; h++)
                    Line(((long)row * call.Height + h) * pieces.Length + first, count, words);
            }
        }

        private void Line(long at, int count, uint* words)
        {
            for (int j = 0; j < count; j++)
            {
                float moved = _clean[at + j] + (words[j] >= 1u << 31 ? call.Epsilon : -call.Epsilon);
                _y[at + j] = MathF.Min(MathF.Max(moved, call.Low), call.High);
            }
        }
    }

    private readonly struct SquareWindowJob(float* clean, float* x, float* signs, float* y, SquareWindow call, int rowsPerTask) : IJob
    {
        private readonly float* _clean = clean, _x = x, _signs = signs, _y = y;

        public void Execute(int task, int worker)
        {
            int end = Math.Min(call.Rows, (task + 1) * rowsPerTask), line = call.Width * call.Channels;
            for (int n = task * rowsPerTask; n < end; n++)
            {
                long start = (long)n * call.Height * line, bytes = (long)call.Height * line * sizeof(float);
                Buffer.MemoryCopy(_x + start, _y + start, bytes, bytes);
                for (int h = call.Top; h < call.Top + call.Side; h++)
                    Line(start + (long)h * line + (long)call.Left * call.Channels);
            }
        }

        private void Line(long at)
        {
            for (int w = 0; w < call.Side; w++)
                for (int c = 0; c < call.Channels; c++, at++)
                {
                    float moved = MathF.FusedMultiplyAdd(2 * call.Epsilon, _signs[c], _x[at]);
                    float inBall = MathF.Min(MathF.Max(moved, _clean[at] - call.Epsilon), _clean[at] + call.Epsilon);
                    _y[at] = MathF.Min(MathF.Max(inBall, call.Low), call.High);
                }
        }
    }
}
