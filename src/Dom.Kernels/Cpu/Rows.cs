using System.Diagnostics;
using System.Numerics;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// Gather and scatter move bytes and so serve every element type. Tasks are runs of rows of about 64 KiB.
public sealed unsafe partial class CpuBackend : IKernel<GatherRows>, IKernel<ScatterRows>, IKernel<BlendRows>
{
    void IKernel<GatherRows>.Run(in GatherRows call) =>
        MoveRows(call.Source, call.Y, call.Rows, call.RowCount, call.RowLength, scatters: false);

    void IKernel<ScatterRows>.Run(in ScatterRows call) =>
        MoveRows(call.Source, call.Target, call.Rows, call.RowCount, call.RowLength, scatters: true);

    void IKernel<BlendRows>.Run(in BlendRows call)
    {
        const string Name = nameof(BlendRows);
        int rowsPerTask = RowsPerTask(call.RowLength * sizeof(float));
        _workers.Run((call.RowCount + rowsPerTask - 1) / rowsPerTask, new BlendRowsJob(
            Floats(call.A, Name), Floats(call.B, Name), Floats(call.Weights, Name), Floats(call.Y, Name), call.RowCount, call.RowLength, rowsPerTask));
    }

    private void MoveRows(View source, View target, View rows, int rowCount, int rowLength, bool scatters)
    {
        Debug.Assert(source.Type == target.Type, "rows are moved, not converted");
        long rowBytes = (long)rowLength * source.Type.Size();
        int rowsPerTask = RowsPerTask(rowBytes);
        _workers.Run((rowCount + rowsPerTask - 1) / rowsPerTask, new MoveRowsJob(
            (byte*)source.Address, (byte*)target.Address, (int*)rows.Address, rowCount, rowBytes, rowsPerTask, scatters));
    }

    private static int RowsPerTask(long rowBytes) => (int)Math.Max(1, 65536 / Math.Max(1, rowBytes));

    private readonly struct MoveRowsJob(
        byte* source, byte* target, int* rows, int rowCount, long rowBytes, int rowsPerTask, bool scatters) : IJob
    {
        private readonly byte* _source = source, _target = target;
        private readonly int* _rows = rows;

        public void Execute(int task, int worker)
        {
            int end = Math.Min(rowCount, (task + 1) * rowsPerTask);
            for (int n = task * rowsPerTask; n < end; n++)
            {
                long from = scatters ? n : _rows[n], to = scatters ? _rows[n] : n;
                Buffer.MemoryCopy(_source + from * rowBytes, _target + to * rowBytes, rowBytes, rowBytes);
            }
        }
    }

    private readonly struct BlendRowsJob(
        float* a, float* b, float* weights, float* y, int rowCount, int rowLength, int rowsPerTask) : IJob
    {
        private readonly float* _a = a, _b = b, _weights = weights, _y = y;

        public void Execute(int task, int worker)
        {
            int end = Math.Min(rowCount, (task + 1) * rowsPerTask);
            for (int n = task * rowsPerTask; n < end; n++)
                Row(_a + (long)n * rowLength, _b + (long)n * rowLength, _y + (long)n * rowLength, _weights[n]);
        }

        private void Row(float* a, float* b, float* y, float weight)
        {
            if (weight is 0 or 1)
            {
                // Exact, also where the row that does not count holds an infinity or a NaN.
                long bytes = (long)rowLength * sizeof(float);
                Buffer.MemoryCopy(weight == 0 ? a : b, y, bytes, bytes);
                return;
            }
            Vector<float> ofA = new(1 - weight), ofB = new(weight);
            int i = 0;
            for (; i <= rowLength - Vector<float>.Count; i += Vector<float>.Count)
                (ofA * Vector.Load(a + i) + ofB * Vector.Load(b + i)).Store(y + i);
            for (; i < rowLength; i++)
                y[i] = (1 - weight) * a[i] + weight * b[i];
        }
    }
}
