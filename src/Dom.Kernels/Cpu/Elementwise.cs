using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// Memory-bound. Whole lines are stored at once where vectors are as wide as a line: the processor then need not read a line that is overwritten.
// Large results go past the caches (StreamFrom), but for Accumulate's, which is read anyway.
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

    private void Binary<TOperator>(View a, View b, View y, string call) where TOperator : struct, IBinaryOperator
    {
        var operands = new BinaryOperands(Floats(a, call), Floats(b, call), Floats(y, call), y.Length);
        bool streams = y.Bytes >= StreamFrom && y.Address != a.Address && y.Address != b.Address;
        switch (SimdWidth)
        {
            case SimdWidth.Bits512:
                Binary<Simd512, Vector512<float>, TOperator>(operands, streams);
                break;
            case SimdWidth.Bits256:
                Binary<Simd256, Vector256<float>, TOperator>(operands, streams);
                break;
            default:
                Binary<Simd128, Vector128<float>, TOperator>(operands, streams);
                break;
        }
    }

    private void Binary<TSimd, TVector, TOperator>(BinaryOperands operands, bool streams)
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TOperator : struct, IBinaryOperator
    {
        if (streams && (nuint)operands.Y % ((nuint)TSimd.Width * sizeof(float)) == 0)
            Elementwise(operands.Count, new BinaryJob<TSimd, TVector, TOperator, StreamingStores>(operands));
        else
            Elementwise(operands.Count, new BinaryJob<TSimd, TVector, TOperator, CachedStores>(operands));
    }

    private void Elementwise<TJob>(int count, TJob job) where TJob : struct, IJob =>
        _workers.Run((count + ElementsPerTask - 1) / ElementsPerTask, job);

    /// <summary>A function of two numbers, vector by vector and number by number; both forms give the same bits.</summary>
    private interface IBinaryOperator
    {
        static abstract TVector Apply<TSimd, TVector>(TVector a, TVector b)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct;

        static abstract float Apply(float a, float b);
    }

    private readonly struct Sum : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TSimd, TVector>(TVector a, TVector b)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.Add(a, b);

        public static float Apply(float a, float b) => a + b;
    }

    private readonly struct Rectifier : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TSimd, TVector>(TVector a, TVector b)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.AtLeast(a, default);

        public static float Apply(float a, float b) => a < 0 ? 0 : a;
    }

    private readonly struct RectifierGradient : IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Apply<TSimd, TVector>(TVector y, TVector dy)
            where TSimd : struct, ISimd<TVector>
            where TVector : struct => TSimd.WherePositive(y, dy);

        public static float Apply(float y, float dy) => y > 0 ? dy : 0;
    }

    private readonly struct BinaryOperands(float* a, float* b, float* y, int count)
    {
        public float* A { get; } = a;

        public float* B { get; } = b;

        public float* Y { get; } = y;

        public int Count { get; } = count;
    }

    private readonly struct BinaryJob<TSimd, TVector, TOperator, TStores>(BinaryOperands operands) : IJob
        where TSimd : struct, ISimd<TVector>
        where TVector : struct
        where TOperator : struct, IBinaryOperator
        where TStores : struct, IStores
    {
        private readonly BinaryOperands _operands = operands;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Execute(int task, int worker)
        {
            float* a = _operands.A, b = _operands.B, y = _operands.Y;
            int start = task * ElementsPerTask, end = Math.Min(_operands.Count, start + ElementsPerTask), i = start;
            for (; i <= end - TSimd.Width; i += TSimd.Width)
            {
                var value = TOperator.Apply<TSimd, TVector>(TSimd.Load(a + i), TSimd.Load(b + i));
                if (TStores.Stream)
                    TSimd.StoreStreaming(value, y + i);
                else
                    TSimd.Store(value, y + i);
            }
            for (; i < end; i++)
                y[i] = TOperator.Apply(a[i], b[i]);
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
