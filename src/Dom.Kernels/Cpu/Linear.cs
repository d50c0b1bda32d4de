using System.Numerics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// The bias gradient is a sum over rows: blocks of rows leave partial sums, which are added in f64 in the order of the blocks. The size of a
// block depends on the columns only, so the number of threads changes no bit.
public sealed unsafe partial class CpuBackend : IKernel<AddBias>, IKernel<BiasGradient>
{
    void IKernel<AddBias>.Run(in AddBias call)
    {
        const string Name = nameof(AddBias);
        var blocks = new RowBlocks(call.Rows, Math.Max(1, call.Columns));
        _workers.Run(blocks.Count, new AddBiasJob(blocks, Floats(call.X, Name), Floats(call.Bias, Name), Floats(call.Y, Name)));
    }

    void IKernel<BiasGradient>.Run(in BiasGradient call)
    {
        const string Name = nameof(BiasGradient);
        float* dbias = Floats(call.DBias, Name);
        var blocks = new RowBlocks(call.Rows, Math.Max(1, call.Columns));
        float* partial = SharedScratch.Floats((long)blocks.Count * call.Columns);
        _workers.Run(blocks.Count, new RowSumsJob(blocks, Floats(call.Dy, Name), partial));
        for (int c = 0; c < call.Columns; c++)
        {
            double total = 0;
            for (int block = 0; block < blocks.Count; block++)
                total += partial[(long)block * call.Columns + c];
            dbias[c] = (float)total;
        }
    }

    private readonly struct AddBiasJob(RowBlocks blocks, float* x, float* bias, float* y) : IJob
    {
        private readonly float* _x = x, _bias = bias, _y = y;

        public void Execute(int task, int worker)
        {
            int columns = blocks.Channels;
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                float* x = _x + (long)row * columns, y = _y + (long)row * columns;
                int c = 0;
                for (; c <= columns - Vector<float>.Count; c += Vector<float>.Count)
                    (Vector.Load(x + c) + Vector.Load(_bias + c)).Store(y + c);
                for (; c < columns; c++)
                    y[c] = x[c] + _bias[c];
            }
        }
    }

    /// <summary>partial[block] = sum of the rows of the block.</summary>
    private readonly struct RowSumsJob(RowBlocks blocks, float* x, float* partial) : IJob
    {
        private readonly float* _x = x, _partial = partial;

        public void Execute(int task, int worker)
        {
            int columns = blocks.Channels;
            float* sum = _partial + (long)task * columns;
            new Span<float>(sum, columns).Clear();
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                float* x = _x + (long)row * columns;
                int c = 0;
                for (; c <= columns - Vector<float>.Count; c += Vector<float>.Count)
                    (Vector.Load(sum + c) + Vector.Load(x + c)).Store(sum + c);
                for (; c < columns; c++)
                    sum[c] += x[c];
            }
        }
    }
}
