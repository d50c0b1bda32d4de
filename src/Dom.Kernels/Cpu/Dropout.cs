using System.Numerics;
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
            uint* words = stackalloc uint[WordsAtOnce];
            var (row, start, end) = pieces[task];
            var sample = stream.ForSample(_ids[row]);
            float share = 1 - rate;
            for (int first = start; first < end; first += WordsAtOnce)
            {
                int count = Math.Min(WordsAtOnce, end - first), j = 0;
                DrawWords(sample, first, count, words);
                float* x = _x + (long)row * pieces.Length + first, y = _y + (long)row * pieces.Length + first;
                for (; j <= count - Vector<float>.Count; j += Vector<float>.Count)
                {
                    var keeps = Vector.GreaterThanOrEqual(ToUniform(Vector.Load(words + j)), new Vector<float>(rate));
                    Vector.ConditionalSelect(keeps, Vector.Load(x + j) / new Vector<float>(share), Vector<float>.Zero).Store(y + j);
                }
                for (; j < count; j++)
                    y[j] = Philox.ToUniform(words[j]) >= rate ? x[j] / share : 0;
            }
        }
    }
}
