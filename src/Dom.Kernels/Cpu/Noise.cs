using System.Numerics;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend : IKernel<UniformNoise>, IKernel<NormalNoise>
{
    void IKernel<UniformNoise>.Run(in UniformNoise call)
    {
        var pieces = new RowPieces(call.Rows, call.RowLength);
        _workers.Run(pieces.Count, new UniformNoiseJob(
            pieces, Floats(call.Y, nameof(UniformNoise)), (int*)call.SampleIds.Address, call.Stream, call.Low, call.High - call.Low));
    }

    void IKernel<NormalNoise>.Run(in NormalNoise call)
    {
        var pieces = new RowPieces(call.Rows, call.RowLength);
        _workers.Run(pieces.Count, new NormalNoiseJob(
            pieces, Floats(call.Y, nameof(NormalNoise)), (int*)call.SampleIds.Address, call.Stream, call.Mean, call.Std));
    }

    private readonly struct UniformNoiseJob(RowPieces pieces, float* y, int* ids, RandomStream stream, float low, float range) : IJob
    {
        private readonly float* _y = y;
        private readonly int* _ids = ids;

        public void Execute(int task, int worker)
        {
            uint* words = stackalloc uint[WordsAtOnce];
            var (row, start, end) = pieces[task];
            var sample = stream.ForSample(_ids[row]);
            for (int first = start; first < end; first += WordsAtOnce)
            {
                int count = Math.Min(WordsAtOnce, end - first), j = 0;
                DrawWords(sample, first, count, words);
                float* y = _y + (long)row * pieces.Length + first;
                for (; j <= count - Vector<float>.Count; j += Vector<float>.Count)
                    Vector.FusedMultiplyAdd(new Vector<float>(range), ToUniform(Vector.Load(words + j)), new Vector<float>(low)).Store(y + j);
                for (; j < count; j++)
                    y[j] = MathF.FusedMultiplyAdd(range, Philox.ToUniform(words[j]), low);
            }
        }
    }

    private readonly struct NormalNoiseJob(RowPieces pieces, float* y, int* ids, RandomStream stream, float mean, float std) : IJob
    {
        private readonly float* _y = y;
        private readonly int* _ids = ids;

        public void Execute(int task, int worker)
        {
            uint* words = stackalloc uint[WordsAtOnce];
            var (row, start, end) = pieces[task];
            var sample = stream.ForSample(_ids[row]);
            for (int first = start; first < end; first += WordsAtOnce / 2)
            {
                int count = Math.Min(WordsAtOnce / 2, end - first);
                DrawWords(sample, 2L * first, 2 * count, words);
                float* y = _y + (long)row * pieces.Length + first;
                for (int j = 0; j < count; j++)
                    y[j] = MathF.FusedMultiplyAdd(std, Philox.ToNormal(words[2 * j], words[2 * j + 1]), mean);
            }
        }
    }
}
