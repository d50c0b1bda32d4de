using System.Numerics;
using System.Runtime.CompilerServices;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend : IKernel<SignStep>, IKernel<L2Step>
{
    void IKernel<SignStep>.Run(in SignStep call)
    {
        const string Name = nameof(SignStep);
        Elementwise(call.Y.Length, new SignStepJob(
            Floats(call.Clean, Name), Floats(call.X, Name), Floats(call.Gradient, Name), Floats(call.Y, Name), call));
    }

    void IKernel<L2Step>.Run(in L2Step call)
    {
        const string Name = nameof(L2Step);
        int rowsPerTask = Math.Max(1, ElementsPerTask / Math.Max(1, call.RowLength));
        _workers.Run((call.Rows + rowsPerTask - 1) / rowsPerTask, new L2StepJob(
            Floats(call.Clean, Name), Floats(call.X, Name), Floats(call.Gradient, Name), Floats(call.Y, Name), call, rowsPerTask));
    }

    private readonly struct SignStepJob(float* clean, float* x, float* gradient, float* y, SignStep call) : IJob
    {
        private readonly float* _clean = clean, _x = x, _gradient = gradient, _y = y;

        public void Execute(int task, int worker)
        {
            int start = task * ElementsPerTask, end = Math.Min(call.Y.Length, start + ElementsPerTask), i = start;
            Vector<float> up = new(call.StepSize), down = new(-call.StepSize), epsilon = new(call.Epsilon), low = new(call.Low), high = new(call.High);
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> g = Vector.Load(_gradient + i), center = Vector.Load(_clean + i);
                var falling = Vector.ConditionalSelect(Vector.LessThan(g, Vector<float>.Zero), down, Vector<float>.Zero);
                var step = Vector.ConditionalSelect(Vector.GreaterThan(g, Vector<float>.Zero), up, falling);
                var inBall = Vector.Min(Vector.Max(Vector.Load(_x + i) + step, center - epsilon), center + epsilon);
                Vector.Min(Vector.Max(inBall, low), high).Store(_y + i);
            }
            for (; i < end; i++)
            {
                float g = _gradient[i], step = g > 0 ? call.StepSize : g < 0 ? -call.StepSize : 0;
                float inBall = MathF.Min(MathF.Max(_x[i] + step, _clean[i] - call.Epsilon), _clean[i] + call.Epsilon);
                _y[i] = MathF.Min(MathF.Max(inBall, call.Low), call.High);
            }
        }
    }

    /// <summary>Three walks over a row: the gradient's norm; y = the displacement and its norm; y = the projected image.</summary>
    private readonly struct L2StepJob(float* clean, float* x, float* gradient, float* y, L2Step call, int rowsPerTask) : IJob
    {
        private readonly float* _clean = clean, _x = x, _gradient = gradient, _y = y;

        public void Execute(int task, int worker)
        {
            int end = Math.Min(call.Rows, (task + 1) * rowsPerTask);
            for (int n = task * rowsPerTask; n < end; n++)
            {
                long start = (long)n * call.RowLength;
                float scale = (float)(call.StepSize / Math.Max(Norm(_gradient + start), 1e-12));
                Displace(start, scale);
                Project(start, (float)Math.Min(1, call.Epsilon / Math.Max(Norm(_y + start), 1e-12)));
            }
        }

        private void Displace(long start, float scale)
        {
            float* x = _x + start, clean = _clean + start, gradient = _gradient + start, y = _y + start;
            var scales = new Vector<float>(scale);
            int i = 0;
            for (; i <= call.RowLength - Vector<float>.Count; i += Vector<float>.Count)
                Vector.FusedMultiplyAdd(scales, Vector.Load(gradient + i), Vector.Load(x + i) - Vector.Load(clean + i)).Store(y + i);
            for (; i < call.RowLength; i++)
                y[i] = MathF.FusedMultiplyAdd(scale, gradient[i], x[i] - clean[i]);
        }

        private void Project(long start, float shrink)
        {
            float* clean = _clean + start, y = _y + start;
            Vector<float> shrinks = new(shrink), low = new(call.Low), high = new(call.High);
            int i = 0;
            for (; i <= call.RowLength - Vector<float>.Count; i += Vector<float>.Count)
            {
                var inBall = Vector.FusedMultiplyAdd(shrinks, Vector.Load(y + i), Vector.Load(clean + i));
                Vector.Min(Vector.Max(inBall, low), high).Store(y + i);
            }
            for (; i < call.RowLength; i++)
                y[i] = MathF.Min(MathF.Max(MathF.FusedMultiplyAdd(shrink, y[i], clean[i]), call.Low), call.High);
        }

        /// <summary>Euclidean norm of a row, accumulated in f64: gradients of confident samples are small, and their squares smaller.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private double Norm(float* values)
        {
            Vector<double> even = default, odd = default;
            int i = 0;
            for (; i <= call.RowLength - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector.Widen(Vector.Load(values + i), out var first, out var second);
                even = Vector.FusedMultiplyAdd(first, first, even);
                odd = Vector.FusedMultiplyAdd(second, second, odd);
            }
            double squares = Vector.Sum(even + odd);
            for (; i < call.RowLength; i++)
                squares += (double)values[i] * values[i];
            return Math.Sqrt(squares);
        }
    }
}
