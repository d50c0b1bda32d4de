using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend : IKernel<DropoutForward>
{
    void IKernel<DropoutForward>.Run(in DropoutForward call)
    {
        const string Name = nameof(DropoutForward);
        var pieces = new RowPieces(call.Rows, call.RowLength);
        _workers.Run(pieces.Count, new DropoutJob(
            pieces, Floats(call.X, Name), (int*)call.SampleIds.Address, Floats(call.Y, Name), call.Stream, call.Rate));
    }

    private readonly struct DropoutJob(RowPieces pieces, float* x, int* ids, float* y, RandomStream stream, float rate) : IJob
    {
        private readonly float* _x = x, _y = y;
        private readonly int* _ids = ids;

        public void Execute(int task, int worker)
        {
            var (row, j, end) = pieces[task];
            var words = stream.ForSample(_ids[row]);
            float* x = _x + (long)row * pieces.Length, y = _y + (long)row * pieces.Length;
            for (; j <= end - 4; j += 4)
            {
                var (a, b, c, d) = Words(words, j >> 2);
                y[j] = Kept(x[j], Philox.ToUniform(a));
                y[j + 1] = Kept(x[j + 1], Philox.ToUniform(b));
                y[j + 2] = Kept(x[j + 2], Philox.ToUniform(c));
                y[j + 3] = Kept(x[j + 3], Philox.ToUniform(d));
            }
            for (; j < end; j++)
                y[j] = Kept(x[j], words.Uniform(j));
        }

        private float Kept(float x, float u) => u >= rate ? x / (1 - rate) : 0;
    }
}
