using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>y = (x - mean) scale + beta, rectified if asked for; mean, scale and beta are rows.</summary>
internal readonly unsafe struct BatchNormNormalizeJob<TSimd, TVector>(
    BatchNormRows rows, float* x, float* mean, float* scale, float* beta, float* y, bool relu) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private readonly float* _x = x, _mean = mean, _scale = scale, _beta = beta, _y = y;

    public void Execute(int task, int worker)
    {
        long at = rows.OffsetOf(task);
        Normalize(_x + at, rows.RowsOf(task), rows.Width, _mean, _scale, _beta, relu ? 0 : float.NegativeInfinity, _y + at);
    }

    /// <summary>A floor of minus infinity leaves y alone. A NaN passes either.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalize(float* x, int rows, int width, float* mean, float* scale, float* beta, float lowest, float* y)
    {
        var floor = TSimd.Create(lowest);
        for (; rows > 0; rows--, x += width, y += width)
        {
            int c = 0;
            for (; c <= width - TSimd.Width; c += TSimd.Width)
            {
                var centered = TSimd.Subtract(TSimd.Load(x + c), TSimd.Load(mean + c));
                TSimd.Store(TSimd.AtLeast(TSimd.MultiplyAdd(centered, TSimd.Load(scale + c), TSimd.Load(beta + c)), floor), y + c);
            }
            for (; c < width; c++)
            {
                float value = MathF.FusedMultiplyAdd(x[c] - mean[c], scale[c], beta[c]);
                y[c] = value < lowest ? lowest : value;
            }
        }
    }
}
