using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>y = (x - mean) scale + beta, rectified if asked for; mean, scale and beta are rows.</summary>
internal readonly unsafe struct BatchNormNormalizeJob<TSimd, TVector>(
    BatchNormRows rows, float* x, float* mean, float* scale, float* beta, float* y, bool relu, bool streams) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private readonly float* _x = x, _mean = mean, _scale = scale, _beta = beta, _y = y;

    public void Execute(int task, int worker)
    {
        // Last block first: the statistics were read in order, so the end of x is what the caches still hold.
        int block = rows.Blocks - 1 - task;
        long at = rows.OffsetOf(block);
        float lowest = relu ? 0 : float.NegativeInfinity;
        if (streams && rows.FitVectors(_y, TSimd.Width))
            Normalize<StreamingStores>(_x + at, rows.RowsOf(block), rows.Width, _mean, _scale, _beta, lowest, _y + at);
        else
            Normalize<CachedStores>(_x + at, rows.RowsOf(block), rows.Width, _mean, _scale, _beta, lowest, _y + at);
    }

    /// <summary>A floor of minus infinity leaves y alone. A NaN passes either.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalize<TStores>(
        float* x, int rows, int width, float* mean, float* scale, float* beta, float lowest, float* y)
        where TStores : struct, IStores
    {
        var floor = TSimd.Create(lowest);
        for (; rows > 0; rows--, x += width, y += width)
        {
            int c = 0;
            for (; c <= width - TSimd.Width; c += TSimd.Width)
            {
                var centered = TSimd.Subtract(TSimd.Load(x + c), TSimd.Load(mean + c));
                var value = TSimd.AtLeast(TSimd.MultiplyAdd(centered, TSimd.Load(scale + c), TSimd.Load(beta + c)), floor);
                if (TStores.Stream)
                    TSimd.StoreStreaming(value, y + c);
                else
                    TSimd.Store(value, y + c);
            }
            for (; c < width; c++)
            {
                float value = MathF.FusedMultiplyAdd(x[c] - mean[c], scale[c], beta[c]);
                y[c] = value < lowest ? lowest : value;
            }
        }
    }
}
