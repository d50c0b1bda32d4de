using System.Numerics;
using System.Runtime.CompilerServices;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend :
    IKernel<Fill>, IKernel<Copy>, IKernel<AddForward>, IKernel<Accumulate>, IKernel<ReluForward>, IKernel<ReluBackward>
{
    /// <summary>Elements that one task of an elementwise kernel handles: 64 KiB of floats, small enough to balance, large enough to pay.</summary>
    private const int ElementsPerTask = 16384;

    void IKernel<Fill>.Run(in Fill call) =>
        Elementwise(call.Y.Length, new FillJob(Floats(call.Y, nameof(Fill)), call.Value, call.Y.Length));

    void IKernel<Copy>.Run(in Copy call) =>
        new ReadOnlySpan<byte>((void*)call.X.Address, checked((int)call.X.Bytes)).CopyTo(new Span<byte>((void*)call.Y.Address, checked((int)call.Y.Bytes)));

    void IKernel<AddForward>.Run(in AddForward call) => Binary<Sum>(call.A, call.B, call.Y, nameof(AddForward));

    void IKernel<Accumulate>.Run(in Accumulate call) => Binary<Sum>(call.Y, call.X, call.Y, nameof(Accumulate));

    void IKernel<ReluForward>.Run(in ReluForward call) => Binary<Rectifier>(call.X, call.X, call.Y, nameof(ReluForward));

    void IKernel<ReluBackward>.Run(in ReluBackward call) => Binary<RectifierGradient>(call.Y, call.Dy, call.Dx, nameof(ReluBackward));

    private void Binary<TOperator>(View a, View b, View y, string call) where TOperator : struct, IBinaryOperator =>
        Elementwise(y.Length, new BinaryJob<TOperator>(Floats(a, call), Floats(b, call), Floats(y, call), y.Length));

    private void Elementwise<TJob>(int count, TJob job) where TJob : struct, IJob =>
        _workers.Run((count + ElementsPerTask - 1) / ElementsPerTask, job);

    /// <summary>A function of two numbers, vector by vector and number by number; both forms give the same bits.</summary>
    private interface IBinaryOperator
    {
        static abstract Vector<float> Apply(Vector<float> a, Vector<float> b);

        static abstract float Apply(float a, float b);
    }

    private readonly struct Sum : IBinaryOperator
    {
        public static Vector<float> Apply(Vector<float> a, Vector<float> b) => a + b;

        public static float Apply(float a, float b) => a + b;
    }

    private readonly struct Rectifier : IBinaryOperator
    {
        public static Vector<float> Apply(Vector<float> a, Vector<float> b) =>
            Vector.ConditionalSelect(Vector.LessThan(a, Vector<float>.Zero), Vector<float>.Zero, a);

        public static float Apply(float a, float b) => a < 0 ? 0 : a;
    }

    private readonly struct RectifierGradient : IBinaryOperator
    {
        public static Vector<float> Apply(Vector<float> y, Vector<float> dy) =>
            Vector.ConditionalSelect(Vector.GreaterThan(y, Vector<float>.Zero), dy, Vector<float>.Zero);

        public static float Apply(float y, float dy) => y > 0 ? dy : 0;
    }

    private readonly struct BinaryJob<TOperator>(float* a, float* b, float* y, int count) : IJob where TOperator : struct, IBinaryOperator
    {
        private readonly float* _a = a, _b = b, _y = y;

        public void Execute(int task, int worker)
        {
            int start = task * ElementsPerTask, end = Math.Min(count, start + ElementsPerTask), i = start;
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
                Unsafe.WriteUnaligned(_y + i, TOperator.Apply(Vector.Load(_a + i), Vector.Load(_b + i)));
            for (; i < end; i++)
                _y[i] = TOperator.Apply(_a[i], _b[i]);
        }
    }

    private readonly struct FillJob(float* y, float value, int count) : IJob
    {
        private readonly float* _y = y;

        public void Execute(int task, int worker)
        {
            int start = task * ElementsPerTask;
            new Span<float>(_y + start, Math.Min(count - start, ElementsPerTask)).Fill(value);
        }
    }
}
