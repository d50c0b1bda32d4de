using System.Numerics;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

public sealed unsafe partial class CpuBackend : IKernel<Cast>
{
    void IKernel<Cast>.Run(in Cast call)
    {
        int count = call.Y.Length;
        switch (call.X.Type, call.Y.Type)
        {
            case (DType.F32, DType.BF16):
                Elementwise(count, new RoundJob((float*)call.X.Address, (ushort*)call.Y.Address, count));
                break;
            case (DType.BF16, DType.F32):
                Elementwise(count, new WidenJob((ushort*)call.X.Address, (uint*)call.Y.Address, count));
                break;
            case (DType.U8, DType.F32):
                Elementwise(count, new BytesJob((byte*)call.X.Address, (float*)call.Y.Address, count));
                break;
            case (DType.I32, DType.F32):
                Elementwise(count, new IntegersJob((int*)call.X.Address, (float*)call.Y.Address, count));
                break;
            default:
                throw new DeviceException(
                    $"cpu: no kernel for Cast({call.X.Type} to {call.Y.Type}). f32 to bf16, and bf16, u8 and i32 to f32 are supported.");
        }
    }

    /// <summary>f32 to bf16: adds half of the last place that stays (a little less where that place is even) and cuts.</summary>
    private readonly struct RoundJob(float* x, ushort* y, int count) : IJob
    {
        private readonly float* _x = x;
        private readonly ushort* _y = y;

        public void Execute(int task, int worker)
        {
            int i = task * ElementsPerTask, end = i + Math.Min(ElementsPerTask, count - i), step = Vector<float>.Count;
            for (; i <= end - 2 * step; i += 2 * step)
                Vector.Narrow(Round(Vector.Load(_x + i)), Round(Vector.Load(_x + i + step))).Store(_y + i);
            for (; i < end; i++)
                _y[i] = BFloat16.FromSingle(_x[i]).Bits;
        }

        private static Vector<uint> Round(Vector<float> value)
        {
            var bits = Vector.AsVectorUInt32(value);
            var high = bits >>> 16;
            var rounded = (bits + new Vector<uint>(0x7FFF) + (high & Vector<uint>.One)) >>> 16;
            var isNumber = Vector.AsVectorUInt32(Vector.Equals(value, value));
            return Vector.ConditionalSelect(isNumber, rounded, high | new Vector<uint>(0x40));
        }
    }

    /// <summary>bf16 to f32: sixteen zero bits more.</summary>
    private readonly struct WidenJob(ushort* x, uint* y, int count) : IJob
    {
        private readonly ushort* _x = x;
        private readonly uint* _y = y;

        public void Execute(int task, int worker)
        {
            int i = task * ElementsPerTask, end = i + Math.Min(ElementsPerTask, count - i), step = Vector<uint>.Count;
            for (; i <= end - 2 * step; i += 2 * step)
            {
                Vector.Widen(Vector.Load(_x + i), out var low, out var high);
                (low << 16).Store(_y + i);
                (high << 16).Store(_y + i + step);
            }
            for (; i < end; i++)
                _y[i] = (uint)_x[i] << 16;
        }
    }

    private readonly struct BytesJob(byte* x, float* y, int count) : IJob
    {
        private readonly byte* _x = x;
        private readonly float* _y = y;

        public void Execute(int task, int worker)
        {
            int i = task * ElementsPerTask, end = i + Math.Min(ElementsPerTask, count - i), step = Vector<float>.Count;
            for (; i <= end - 4 * step; i += 4 * step)
            {
                Vector.Widen(Vector.Load(_x + i), out var low, out var high);
                Vector.Widen(low, out var first, out var second);
                Vector.Widen(high, out var third, out var fourth);
                Vector.ConvertToSingle(Vector.AsVectorInt32(first)).Store(_y + i);
                Vector.ConvertToSingle(Vector.AsVectorInt32(second)).Store(_y + i + step);
                Vector.ConvertToSingle(Vector.AsVectorInt32(third)).Store(_y + i + 2 * step);
                Vector.ConvertToSingle(Vector.AsVectorInt32(fourth)).Store(_y + i + 3 * step);
            }
            for (; i < end; i++)
                _y[i] = _x[i];
        }
    }

    private readonly struct IntegersJob(int* x, float* y, int count) : IJob
    {
        private readonly int* _x = x;
        private readonly float* _y = y;

        public void Execute(int task, int worker)
        {
            int i = task * ElementsPerTask, end = i + Math.Min(ElementsPerTask, count - i);
            for (; i <= end - Vector<int>.Count; i += Vector<int>.Count)
                Vector.ConvertToSingle(Vector.Load(_x + i)).Store(_y + i);
            for (; i < end; i++)
                _y[i] = _x[i];
        }
    }
}
