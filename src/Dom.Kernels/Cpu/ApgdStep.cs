using System.Numerics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend : IKernel<ApgdSignStep>
{
    void IKernel<ApgdSignStep>.Run(in ApgdSignStep call)
    {
        const string Name = nameof(ApgdSignStep);
        int rowsPerTask = Math.Max(1, ElementsPerTask / Math.Max(1, call.RowLength));
        _workers.Run((call.Rows + rowsPerTask - 1) / rowsPerTask, new ApgdSignStepJob(
            Floats(call.Clean, Name), Floats(call.X, Name), Floats(call.Previous, Name), Floats(call.Gradient, Name), Floats(call.StepSizes, Name),
            Floats(call.Y, Name), call, rowsPerTask));
    }

    private readonly struct ApgdSignStepJob(
        float* clean, float* x, float* previous, float* gradient, float* stepSizes, float* y, ApgdSignStep call, int rowsPerTask) : IJob
    {
        private readonly float* _clean = clean, _x = x, _previous = previous, _gradient = gradient, _stepSizes = stepSizes, _y = y;

        public void Execute(int task, int worker)
        {
            int end = Math.Min(call.Rows, (task + 1) * rowsPerTask);
            for (int n = task * rowsPerTask; n < end; n++)
                Row((long)n * call.RowLength, _stepSizes[n]);
        }

        private void Row(long start, float step)
        {
            float* clean = _clean + start, x = _x + start, previous = _previous + start, gradient = _gradient + start, y = _y + start;
            float rest = 1 - call.Momentum;
            Vector<float> up = new(step), down = new(-step), epsilon = new(call.Epsilon), low = new(call.Low), high = new(call.High);
            int i = 0;
            for (; i <= call.RowLength - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> g = Vector.Load(gradient + i), from = Vector.Load(x + i), center = Vector.Load(clean + i);
                Vector<float> lowest = center - epsilon, highest = center + epsilon;
                var falling = Vector.ConditionalSelect(Vector.LessThan(g, Vector<float>.Zero), down, Vector<float>.Zero);
                var stepped = from + Vector.ConditionalSelect(Vector.GreaterThan(g, Vector<float>.Zero), up, falling);
                var z = Vector.Min(Vector.Max(Vector.Min(Vector.Max(stepped, lowest), highest), low), high);
                var moved = from + call.Momentum * (z - from) + rest * (from - Vector.Load(previous + i));
                Vector.Min(Vector.Max(Vector.Min(Vector.Max(moved, lowest), highest), low), high).Store(y + i);
            }
            for (; i < call.RowLength; i++)
            {
                float g = gradient[i], from = x[i], center = clean[i];
                float z = Projected(from + (g > 0 ? step : g < 0 ? -step : 0), center);
                y[i] = Projected(from + call.Momentum * (z - from) + rest * (from - previous[i]), center);
            }
        }

        private float Projected(float value, float center) =>
            MathF.Min(MathF.Max(MathF.Min(MathF.Max(value, center - call.Epsilon), center + call.Epsilon), call.Low), call.High);
    }
}
