using System.Numerics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend : IKernel<FabStep>
{
    void IKernel<FabStep>.Run(in FabStep call)
    {
        const string Name = nameof(FabStep);
        int rowsPerTask = Math.Max(1, ElementsPerTask / 16 / Math.Max(1, call.RowLength)); // an element is looked at some twelve times
        _workers.Run((call.Rows + rowsPerTask - 1) / rowsPerTask, new FabStepJob(
            Floats(call.Clean, Name), Floats(call.X, Name), Floats(call.Gradient, Name), Floats(call.Differences, Name), Floats(call.Y, Name),
            Floats(call.Distances, Name), call, rowsPerTask));
    }

    private readonly struct FabStepJob(
        float* clean, float* x, float* gradient, float* differences, float* y, float* distances, FabStep call, int rowsPerTask) : IJob
    {
        private readonly float* _clean = clean, _x = x, _gradient = gradient, _differences = differences, _y = y, _distances = distances;

        public void Execute(int task, int worker)
        {
            int end = Math.Min(call.Rows, (task + 1) * rowsPerTask);
            for (int n = task * rowsPerTask; n < end; n++)
            {
                long start = (long)n * call.RowLength;
                _distances[n] = Row(_clean + start, _x + start, _gradient + start, _differences[n], _y + start);
            }
        }

        private float Row(float* clean, float* x, float* w, double difference, float* y)
        {
            double ofClean = difference + Inner(w, clean, x);
            if (double.IsFinite(difference) && double.IsFinite(ofClean))
            {
                var fromX = new HyperplaneStep(x, w, call.RowLength, difference, call.Low, call.High);
                var fromClean = new HyperplaneStep(clean, w, call.RowLength, ofClean, call.Low, call.High);
                double norm = Math.Max(fromX.Norm(), 1e-8), pull = Math.Min(norm / (norm + Math.Max(fromClean.Norm(), 1e-8)), call.MaximumPull);
                Mix(clean, x, y, fromX, fromClean, pull);
            }
            else
                new ReadOnlySpan<float>(x, call.RowLength).CopyTo(new Span<float>(y, call.RowLength));
            float farthest = 0;
            for (int i = 0; i < call.RowLength; i++)
                farthest = MathF.Max(farthest, MathF.Abs(y[i] - clean[i]));
            return farthest;
        }

        /// <summary>sum w (a - b) in f64.</summary>
        private double Inner(float* w, float* a, float* b)
        {
            Vector<double> sum = default;
            int i = 0;
            for (; i <= call.RowLength - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(Vector.Load(w + i), out var w0, out var w1);
                Vector.Widen(Vector.Load(a + i), out var a0, out var a1);
                Vector.Widen(Vector.Load(b + i), out var b0, out var b1);
                sum += w0 * (a0 - b0) + w1 * (a1 - b1);
            }
            double total = Vector.Sum(sum);
            for (; i < call.RowLength; i++)
                total += (double)w[i] * ((double)a[i] - b[i]);
            return total;
        }

        private void Mix(float* clean, float* x, float* y, in HyperplaneStep fromX, in HyperplaneStep fromClean, double pull)
        {
            Vector<double> ofX = new(1 - pull), ofClean = new(pull), overshoot = new(call.Overshoot);
            Vector<float> low = new(call.Low), high = new(call.High);
            int i = 0;
            for (; i <= call.RowLength - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(Vector.Load(x + i), out var x0, out var x1);
                Vector.Widen(Vector.Load(clean + i), out var c0, out var c1);
                fromX.At(i, out var dx0, out var dx1);
                fromClean.At(i, out var dc0, out var dc1);
                var first = ofX * (x0 + overshoot * dx0) + ofClean * (c0 + overshoot * dc0);
                var second = ofX * (x1 + overshoot * dx1) + ofClean * (c1 + overshoot * dc1);
                Vector.Min(Vector.Max(Vector.Narrow(first, second), low), high).Store(y + i);
            }
            for (; i < call.RowLength; i++)
            {
                double moved = (1 - pull) * (x[i] + call.Overshoot * fromX.At(i)) + pull * (clean[i] + call.Overshoot * fromClean.At(i));
                y[i] = MathF.Min(MathF.Max((float)moved, call.Low), call.High);
            }
        }
    }
}
