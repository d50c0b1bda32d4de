using System.Runtime.CompilerServices;
using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>partial[block] = sums over its rows of x - shift and of the square of that, column by column.</summary>
internal readonly unsafe struct BatchNormStatisticsJob<TSimd, TVector>(BatchNormRows rows, float* x, float* shift, float* partial) : IJob
    where TSimd : struct, ISimd<TVector>
    where TVector : struct
{
    private readonly float* _x = x, _shift = shift, _partial = partial;

    public void Execute(int task, int worker)
    {
        float* sums = _partial + (long)task * 2 * rows.Width, x = _x + rows.OffsetOf(task);
        if (rows.Width == 4 * TSimd.Width)
            FourVectors(x, rows.RowsOf(task), _shift, sums);
        else
            AnyWidth(x, rows.RowsOf(task), rows.Width, _shift, sums);
    }

    /// <summary>A row is 4 vectors: all sums stay in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourVectors(float* x, int rows, float* shift, float* sums)
    {
        int w = TSimd.Width;
        TVector shift0 = TSimd.Load(shift), shift1 = TSimd.Load(shift + w);
        TVector shift2 = TSimd.Load(shift + 2 * w), shift3 = TSimd.Load(shift + 3 * w);
        TVector sum0 = default, sum1 = default, sum2 = default, sum3 = default;
        TVector square0 = default, square1 = default, square2 = default, square3 = default;
        for (; rows > 0; rows--, x += 4 * TSimd.Width)
        {
            var x0 = TSimd.Subtract(TSimd.Load(x), shift0);
            var x1 = TSimd.Subtract(TSimd.Load(x + TSimd.Width), shift1);
            var x2 = TSimd.Subtract(TSimd.Load(x + 2 * TSimd.Width), shift2);
            var x3 = TSimd.Subtract(TSimd.Load(x + 3 * TSimd.Width), shift3);
            sum0 = TSimd.Add(sum0, x0);
            sum1 = TSimd.Add(sum1, x1);
            sum2 = TSimd.Add(sum2, x2);
            sum3 = TSimd.Add(sum3, x3);
            square0 = TSimd.MultiplyAdd(x0, x0, square0);
            square1 = TSimd.MultiplyAdd(x1, x1, square1);
            square2 = TSimd.MultiplyAdd(x2, x2, square2);
            square3 = TSimd.MultiplyAdd(x3, x3, square3);
        }
        TSimd.Store(sum0, sums);
        TSimd.Store(sum1, sums + w);
        TSimd.Store(sum2, sums + 2 * w);
        TSimd.Store(sum3, sums + 3 * w);
        TSimd.Store(square0, sums + 4 * w);
        TSimd.Store(square1, sums + 5 * w);
        TSimd.Store(square2, sums + 6 * w);
        TSimd.Store(square3, sums + 7 * w);
    }

    /// <summary>The sums stay in the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AnyWidth(float* x, int rows, int width, float* shift, float* sums)
    {
        float* squares = sums + width;
        new Span<float>(sums, 2 * width).Clear();
        for (; rows > 0; rows--, x += width)
        {
            int c = 0;
            for (; c <= width - TSimd.Width; c += TSimd.Width)
            {
                var v = TSimd.Subtract(TSimd.Load(x + c), TSimd.Load(shift + c));
                TSimd.Store(TSimd.Add(TSimd.Load(sums + c), v), sums + c);
                TSimd.Store(TSimd.MultiplyAdd(v, v, TSimd.Load(squares + c)), squares + c);
            }
            for (; c < width; c++)
            {
                float v = x[c] - shift[c];
                sums[c] += v;
                squares[c] = MathF.FusedMultiplyAdd(v, v, squares[c]);
            }
        }
    }
}
