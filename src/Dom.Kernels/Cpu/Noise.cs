using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// A row is cut into pieces of whole Philox blocks, so that a block's four words are computed once. Number j of a row is a function of the stream,
// the sample's id and j: no other number and no thread has a say in it.
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

    /// <summary>Rows cut into pieces of at most 4,096 elements, one a task.</summary>
    private readonly struct RowPieces(int rows, int length)
    {
        private const int Size = 4096;

        private readonly int _perRow = (length + Size - 1) / Size;

        public int Count => rows * _perRow;

        public int Length => length;

        public (int Row, int Start, int End) this[int piece]
        {
            get
            {
                int start = piece % _perRow * Size;
                return (piece / _perRow, start, Math.Min(length, start + Size));
            }
        }
    }

    /// <summary>The four words of block <paramref name="block"/> of a stream: words 4 block .. 4 block + 3.</summary>
    private static (uint A, uint B, uint C, uint D) Words(in RandomStream stream, int block) =>
        Philox.Block((uint)block, stream.Sample, stream.Step, stream.PurposeAndEpoch, stream.Seed);

    private readonly struct UniformNoiseJob(RowPieces pieces, float* y, int* ids, RandomStream stream, float low, float range) : IJob
    {
        private readonly float* _y = y;
        private readonly int* _ids = ids;

        public void Execute(int task, int worker)
        {
            var (row, j, end) = pieces[task];
            var words = stream.ForSample(_ids[row]);
            float* y = _y + (long)row * pieces.Length;
            for (; j <= end - 4; j += 4)
            {
                var (a, b, c, d) = Words(words, j >> 2);
                y[j] = Scaled(Philox.ToUniform(a));
                y[j + 1] = Scaled(Philox.ToUniform(b));
                y[j + 2] = Scaled(Philox.ToUniform(c));
                y[j + 3] = Scaled(Philox.ToUniform(d));
            }
            for (; j < end; j++)
                y[j] = Scaled(words.Uniform(j));
        }

        private float Scaled(float u) => MathF.FusedMultiplyAdd(range, u, low);
    }

    private readonly struct NormalNoiseJob(RowPieces pieces, float* y, int* ids, RandomStream stream, float mean, float std) : IJob
    {
        private readonly float* _y = y;
        private readonly int* _ids = ids;

        public void Execute(int task, int worker)
        {
            var (row, j, end) = pieces[task];
            var words = stream.ForSample(_ids[row]);
            float* y = _y + (long)row * pieces.Length;
            for (; j <= end - 2; j += 2)
            {
                var (a, b, c, d) = Words(words, j >> 1);
                y[j] = Scaled(Philox.ToNormal(a, b));
                y[j + 1] = Scaled(Philox.ToNormal(c, d));
            }
            for (; j < end; j++)
                y[j] = Scaled(words.Normal(j));
        }

        private float Scaled(float z) => MathF.FusedMultiplyAdd(std, z, mean);
    }
}
