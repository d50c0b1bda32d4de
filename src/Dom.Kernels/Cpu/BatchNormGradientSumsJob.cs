using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>partial[block] = sums over its rows of dy' and of dy' (x - mean), where dy' is dy without what a fused rectifier stopped.</summary>
internal readonly unsafe struct BatchNormGradientSumsJob<TSimd, TVector>(BatchNormGradient of, float* partial) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private readonly float* _partial = partial;

    public void Execute(int task, int worker)
    {
        float* sums = _partial + (long)task * 2 * of.Rows.Width;
        long at = of.Rows.OffsetOf(task);
        int rows = of.Rows.RowsOf(task);
        if (of.Rows.Width != 4 * TSimd.Width && of.Relu)
            AnyWidth<Rectified>(of, at, rows, sums);
        else if (of.Rows.Width != 4 * TSimd.Width)
            AnyWidth<NotRectified>(of, at, rows, sums);
        else if (of.Relu)
            FourVectors<Rectified>(of, at, rows, sums);
        else
            FourVectors<NotRectified>(of, at, rows, sums);
    }

    /// <summary>A row is 4 vectors: all sums stay in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourVectors<TRectified>(in BatchNormGradient of, long at, int rows, float* sums) where TRectified : struct, IRectified
    {
        int w = TSimd.Width;
        float* x = of.X + at, dy = of.Dy + at;
        TVector mean0 = TSimd.Load(of.Mean), mean1 = TSimd.Load(of.Mean + w);
        TVector mean2 = TSimd.Load(of.Mean + 2 * w), mean3 = TSimd.Load(of.Mean + 3 * w);
        TVector scale0 = TSimd.Load(of.Scale), scale1 = TSimd.Load(of.Scale + w);
        TVector scale2 = TSimd.Load(of.Scale + 2 * w), scale3 = TSimd.Load(of.Scale + 3 * w);
        TVector beta0 = TSimd.Load(of.Beta), beta1 = TSimd.Load(of.Beta + w);
        TVector beta2 = TSimd.Load(of.Beta + 2 * w), beta3 = TSimd.Load(of.Beta + 3 * w);
        TVector sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        TVector product0 = default, product1 = default, product2 = default, product3 = default;
        for (; rows > 0; rows--, x += 4 * TSimd.Width, dy += 4 * TSimd.Width)
        {
            var x0 = TSimd.Subtract(TSimd.Load(x), mean0);
            var x1 = TSimd.Subtract(TSimd.Load(x + TSimd.Width), mean1);
            var x2 = TSimd.Subtract(TSimd.Load(x + 2 * TSimd.Width), mean2);
            var x3 = TSimd.Subtract(TSimd.Load(x + 3 * TSimd.Width), mean3);
            var dy0 = Passed<TRectified>(x0, scale0, beta0, dy);
            var dy1 = Passed<TRectified>(x1, scale1, beta1, dy + TSimd.Width);
            var dy2 = Passed<TRectified>(x2, scale2, beta2, dy + 2 * TSimd.Width);
            var dy3 = Passed<TRectified>(x3, scale3, beta3, dy + 3 * TSimd.Width);
            sum0 = TSimd.Add(sum0, dy0);
            sum1 = TSimd.Add(sum1, dy1);
            sum2 = TSimd.Add(sum2, dy2);
            sum3 = TSimd.Add(sum3, dy3);
            product0 = TSimd.MultiplyAdd(dy0, x0, product0);
            product1 = TSimd.MultiplyAdd(dy1, x1, product1);
            product2 = TSimd.MultiplyAdd(dy2, x2, product2);
            product3 = TSimd.MultiplyAdd(dy3, x3, product3);
        }
        TSimd.Store(sum0, sums);
        TSimd.Store(sum1, sums + w);
        TSimd.Store(sum2, sums + 2 * w);
        TSimd.Store(sum3, sums + 3 * w);
        TSimd.Store(product0, sums + 4 * w);
        TSimd.Store(product1, sums + 5 * w);
        TSimd.Store(product2, sums + 6 * w);
        TSimd.Store(product3, sums + 7 * w);
    }

    /// <summary>The sums stay in the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AnyWidth<TRectified>(in BatchNormGradient of, long at, int rows, float* sums) where TRectified : struct, IRectified
    {
        int width = of.Rows.Width;
        float* x = of.X + at, dy = of.Dy + at, mean = of.Mean, scale = of.Scale, beta = of.Beta, products = sums + width;
        new Span<float>(sums, 2 * width).Clear();
        for (; rows > 0; rows--, x += width, dy += width)
        {
            int c = 0;
            for (; c <= width - TSimd.Width; c += TSimd.Width)
            {
                var centered = TSimd.Subtract(TSimd.Load(x + c), TSimd.Load(mean + c));
                var passed = TSimd.Load(dy + c);
                if (TRectified.Is)
                    passed = TSimd.WherePositive(TSimd.MultiplyAdd(centered, TSimd.Load(scale + c), TSimd.Load(beta + c)), passed);
                TSimd.Store(TSimd.Add(TSimd.Load(sums + c), passed), sums + c);
                TSimd.Store(TSimd.MultiplyAdd(passed, centered, TSimd.Load(products + c)), products + c);
            }
            for (; c < width; c++)
            {
                float centered = x[c] - mean[c];
                float passed = TRectified.Is && !(MathF.FusedMultiplyAdd(centered, scale[c], beta[c]) > 0) ? 0 : dy[c];
                sums[c] += passed;
                products[c] = MathF.FusedMultiplyAdd(passed, centered, products[c]);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Passed<TRectified>(TVector centered, TVector scale, TVector beta, float* dy) where TRectified : struct, IRectified =>
        TRectified.Is ? TSimd.WherePositive(TSimd.MultiplyAdd(centered, scale, beta), TSimd.Load(dy)) : TSimd.Load(dy);
}
