using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>dx = scale dy' + slope (x - mean) + offset, where dy' is dy without what a fused rectifier stopped; slope and offset are rows.</summary>
internal readonly unsafe struct BatchNormInputGradientJob<TSimd, TVector>(BatchNormGradient of, float* slope, float* offset, float* dx, bool streams) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private readonly float* _slope = slope, _offset = offset, _dx = dx;

    public void Execute(int task, int worker)
    {
        // Last block first: the sums were read in order, so the ends of x and dy are what the caches still hold.
        int block = of.Rows.Blocks - 1 - task;
        bool stream = streams && of.Rows.FitVectors(_dx, TSimd.Width);
        if (of.Relu && stream)
            Run<Rectified, StreamingStores>(of, block, _slope, _offset, _dx);
        else if (of.Relu)
            Run<Rectified, CachedStores>(of, block, _slope, _offset, _dx);
        else if (stream)
            Run<NotRectified, StreamingStores>(of, block, _slope, _offset, _dx);
        else
            Run<NotRectified, CachedStores>(of, block, _slope, _offset, _dx);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TRectified, TStores>(in BatchNormGradient of, int block, float* slope, float* offset, float* dx)
        where TRectified : struct, IRectified
        where TStores : struct, IStores
    {
        int width = of.Rows.Width, rows = of.Rows.RowsOf(block);
        long at = of.Rows.OffsetOf(block);
        float* x = of.X + at, dy = of.Dy + at, mean = of.Mean, scale = of.Scale, beta = of.Beta;
        dx += at;
        for (; rows > 0; rows--, x += width, dy += width, dx += width)
        {
            int c = 0;
            for (; c <= width - TSimd.Width; c += TSimd.Width)
            {
                var centered = TSimd.Subtract(TSimd.Load(x + c), TSimd.Load(mean + c));
                var factor = TSimd.Load(scale + c);
                var passed = TSimd.Load(dy + c);
                if (TRectified.Is)
                    passed = TSimd.WherePositive(TSimd.MultiplyAdd(centered, factor, TSimd.Load(beta + c)), passed);
                var rest = TSimd.MultiplyAdd(centered, TSimd.Load(slope + c), TSimd.Load(offset + c));
                if (TStores.Stream)
                    TSimd.StoreStreaming(TSimd.MultiplyAdd(passed, factor, rest), dx + c);
                else
                    TSimd.Store(TSimd.MultiplyAdd(passed, factor, rest), dx + c);
            }
            for (; c < width; c++)
            {
                float centered = x[c] - mean[c];
                float passed = TRectified.Is && !(MathF.FusedMultiplyAdd(centered, scale[c], beta[c]) > 0) ? 0 : dy[c];
                dx[c] = MathF.FusedMultiplyAdd(passed, scale[c], MathF.FusedMultiplyAdd(centered, slope[c], offset[c]));
            }
        }
    }
}
