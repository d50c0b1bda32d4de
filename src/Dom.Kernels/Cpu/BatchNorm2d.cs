using System.Runtime.Intrinsics;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// Memory-bound: the walk over x is strictly sequential, all channels of a row before the next row, with constants and sums in registers or in the
// first-level cache. Rows are cut into blocks whose size depends on the channels only; each block leaves its partial sums (f32), which are
// added in f64 in the order of the blocks. So the number of threads changes no bit.
public sealed unsafe partial class CpuBackend :
    IKernel<BatchNorm2dTrain>, IKernel<BatchNorm2dInfer>, IKernel<BatchNorm2dTrainBackward>, IKernel<BatchNorm2dInferBackward>
{
    /// <summary>
    /// Bytes from which on a result is written past the caches. Half of a third-level cache of 32 MiB: below, its reader finds more in the cache
    /// than the kernel saves by not reading what it overwrites (a step at batch 16 was 6 % slower with streaming stores everywhere, one at batch 128 0.7 % faster).
    /// </summary>
    internal long StreamFrom { get; init; } = 16 << 20;

    void IKernel<BatchNorm2dTrain>.Run(in BatchNorm2dTrain call)
    {
        const string Name = nameof(BatchNorm2dTrain);
        float* x = Floats(call.X, Name), gamma = Floats(call.Gamma, Name), mean = Floats(call.Mean, Name), inverseStd = Floats(call.InverseStd, Name);
        float* runningMean = Floats(call.RunningMean, Name), runningVariance = Floats(call.RunningVariance, Name);
        int channels = call.Channels, rows = call.Rows;
        var cut = new BatchNormRows(rows, channels);
        float* partial = BatchNormScratch(cut, 5, out var row, out double* totals);
        float* shift = row, meanRow = row + cut.Width, scaleRow = row + 2 * cut.Width, betaRow = row + 3 * cut.Width, scale = row + 4 * cut.Width;

        // Sums of x - x[0]: subtracting a value of the channel keeps the digits that sum(x^2) - sum(x)^2 would lose at |mean| >> std.
        cut.Repeat(x, shift);
        BatchNormStatistics(cut, x, shift, partial);
        cut.Totals(partial, totals);
        for (int c = 0; c < channels; c++)
        {
            double sum = totals[c], squares = totals[channels + c];
            double shifted = sum / rows, variance = Math.Max(0, squares / rows - shifted * shifted);
            mean[c] = (float)(x[c] + shifted);
            inverseStd[c] = (float)(1 / Math.Sqrt(variance + call.Epsilon));
            scale[c] = gamma[c] * inverseStd[c];
            if (runningMean is null)
                continue;
            runningMean[c] += call.Momentum * (mean[c] - runningMean[c]);
            runningVariance[c] += call.Momentum * ((float)(variance * rows / (rows - 1)) - runningVariance[c]);
        }
        cut.Repeat(mean, meanRow);
        cut.Repeat(scale, scaleRow);
        cut.Repeat(Floats(call.Beta, Name), betaRow);
        BatchNormNormalize(cut, x, meanRow, scaleRow, betaRow, Floats(call.Y, Name), call.Relu == 1);
    }

    void IKernel<BatchNorm2dInfer>.Run(in BatchNorm2dInfer call)
    {
        const string Name = nameof(BatchNorm2dInfer);
        var cut = new BatchNormRows(call.Rows, call.Channels);
        BatchNormScratch(cut, 5, out var row, out _);
        float* mean = row, scaleRow = row + cut.Width, beta = row + 2 * cut.Width, scale = row + 3 * cut.Width, inverseStd = row + 4 * cut.Width;
        InferenceScale(Floats(call.Gamma, Name), Floats(call.Variance, Name), call.Epsilon, call.Channels, scale, inverseStd);
        cut.Repeat(Floats(call.Mean, Name), mean);
        cut.Repeat(scale, scaleRow);
        cut.Repeat(Floats(call.Beta, Name), beta);
        BatchNormNormalize(cut, Floats(call.X, Name), mean, scaleRow, beta, Floats(call.Y, Name), call.Relu == 1);
    }

    void IKernel<BatchNorm2dTrainBackward>.Run(in BatchNorm2dTrainBackward call)
    {
        const string Name = nameof(BatchNorm2dTrainBackward);
        float* gamma = Floats(call.Gamma, Name), inverseStd = Floats(call.InverseStd, Name);
        float* dgamma = Floats(call.DGamma, Name), dbeta = Floats(call.DBeta, Name);
        var cut = new BatchNormRows(call.Rows, call.Channels);
        float* partial = BatchNormScratch(cut, 8, out var row, out double* totals);
        float* mean = row, scaleRow = row + cut.Width, beta = row + 2 * cut.Width, slopeRow = row + 3 * cut.Width, offsetRow = row + 4 * cut.Width;
        float* scale = row + 5 * cut.Width, slope = row + 6 * cut.Width, offset = row + 7 * cut.Width;
        for (int c = 0; c < call.Channels; c++)
            scale[c] = gamma[c] * inverseStd[c];
        cut.Repeat(Floats(call.Mean, Name), mean);
        cut.Repeat(scale, scaleRow);
        cut.Repeat(Floats(call.Beta, Name), beta);
        var gradient = new BatchNormGradient(cut, Floats(call.X, Name), Floats(call.Dy, Name), mean, scaleRow, beta, call.Relu == 1);
        BatchNormGradientSums(gradient, partial);
        cut.Totals(partial, totals);
        for (int c = 0; c < call.Channels; c++)
        {
            double sum = totals[c], centered = totals[call.Channels + c];
            double product = centered * inverseStd[c];
            dbeta[c] = (float)sum;
            dgamma[c] = (float)product;
            slope[c] = (float)(-scale[c] * inverseStd[c] * product / call.Rows);
            offset[c] = (float)(-scale[c] * sum / call.Rows);
        }
        if (call.Dx.IsNone)
            return;
        cut.Repeat(slope, slopeRow);
        cut.Repeat(offset, offsetRow);
        BatchNormInputGradient(gradient, slopeRow, offsetRow, Floats(call.Dx, Name));
    }

    void IKernel<BatchNorm2dInferBackward>.Run(in BatchNorm2dInferBackward call)
    {
        const string Name = nameof(BatchNorm2dInferBackward);
        float* dgamma = Floats(call.DGamma, Name), dbeta = Floats(call.DBeta, Name);
        var cut = new BatchNormRows(call.Rows, call.Channels);
        float* partial = BatchNormScratch(cut, 7, out var row, out double* totals);
        float* mean = row, scaleRow = row + cut.Width, beta = row + 2 * cut.Width, slope = row + 3 * cut.Width, offset = row + 4 * cut.Width;
        float* scale = row + 5 * cut.Width, inverseStd = row + 6 * cut.Width;
        InferenceScale(Floats(call.Gamma, Name), Floats(call.Variance, Name), call.Epsilon, call.Channels, scale, inverseStd);
        cut.Repeat(Floats(call.Mean, Name), mean);
        cut.Repeat(scale, scaleRow);
        cut.Repeat(Floats(call.Beta, Name), beta);
        new Span<float>(slope, 2 * cut.Width).Clear(); // the statistics are constants: dx = scale dy, nothing more
        var gradient = new BatchNormGradient(cut, Floats(call.X, Name), Floats(call.Dy, Name), mean, scaleRow, beta, call.Relu == 1);
        if (dgamma is not null)
        {
            BatchNormGradientSums(gradient, partial);
            cut.Totals(partial, totals);
            for (int c = 0; c < call.Channels; c++)
            {
                double sum = totals[c], centered = totals[call.Channels + c];
                dbeta[c] = (float)sum;
                dgamma[c] = (float)(centered * inverseStd[c]);
            }
        }
        if (!call.Dx.IsNone)
            BatchNormInputGradient(gradient, slope, offset, Floats(call.Dx, Name));
    }

    private static void InferenceScale(float* gamma, float* variance, float epsilon, int channels, float* scale, float* inverseStd)
    {
        for (int c = 0; c < channels; c++)
        {
            inverseStd[c] = (float)(1 / Math.Sqrt((double)variance[c] + epsilon));
            scale[c] = gamma[c] * inverseStd[c];
        }
    }

    /// <summary>Room for two totals a channel, for the partial sums of all blocks, and for so many rows.</summary>
    private float* BatchNormScratch(BatchNormRows cut, int rows, out float* row, out double* totals)
    {
        long sums = (long)cut.Blocks * 2 * cut.Width, totalFloats = 2L * cut.Width * (sizeof(double) / sizeof(float));
        totals = (double*)SharedScratch.Floats(totalFloats + sums + (long)rows * cut.Width);
        float* partial = (float*)totals + totalFloats;
        row = partial + sums;
        return partial;
    }

    private void BatchNormStatistics(BatchNormRows cut, float* x, float* shift, float* partial)
    {
        switch (SimdWidth)
        {
            case SimdWidth.Bits512:
                _workers.Run(cut.Blocks, new BatchNormStatisticsJob<Simd512, Vector512<float>>(cut, x, shift, partial));
                break;
            case SimdWidth.Bits256:
                _workers.Run(cut.Blocks, new BatchNormStatisticsJob<Simd256, Vector256<float>>(cut, x, shift, partial));
                break;
            default:
                _workers.Run(cut.Blocks, new BatchNormStatisticsJob<Simd128, Vector128<float>>(cut, x, shift, partial));
                break;
        }
    }

    private void BatchNormNormalize(BatchNormRows cut, float* x, float* mean, float* scale, float* beta, float* y, bool relu)
    {
        bool streams = cut.Bytes >= StreamFrom;
        switch (SimdWidth)
        {
            case SimdWidth.Bits512:
                _workers.Run(cut.Blocks, new BatchNormNormalizeJob<Simd512, Vector512<float>>(cut, x, mean, scale, beta, y, relu, streams));
                break;
            case SimdWidth.Bits256:
                _workers.Run(cut.Blocks, new BatchNormNormalizeJob<Simd256, Vector256<float>>(cut, x, mean, scale, beta, y, relu, streams));
                break;
            default:
                _workers.Run(cut.Blocks, new BatchNormNormalizeJob<Simd128, Vector128<float>>(cut, x, mean, scale, beta, y, relu, streams));
                break;
        }
    }

    private void BatchNormGradientSums(BatchNormGradient gradient, float* partial)
    {
        switch (SimdWidth)
        {
            case SimdWidth.Bits512:
                _workers.Run(gradient.Rows.Blocks, new BatchNormGradientSumsJob<Simd512, Vector512<float>>(gradient, partial));
                break;
            case SimdWidth.Bits256:
                _workers.Run(gradient.Rows.Blocks, new BatchNormGradientSumsJob<Simd256, Vector256<float>>(gradient, partial));
                break;
            default:
                _workers.Run(gradient.Rows.Blocks, new BatchNormGradientSumsJob<Simd128, Vector128<float>>(gradient, partial));
                break;
        }
    }

    private void BatchNormInputGradient(BatchNormGradient gradient, float* slope, float* offset, float* dx)
    {
        bool streams = gradient.Rows.Bytes >= StreamFrom;
        switch (SimdWidth)
        {
            case SimdWidth.Bits512:
                _workers.Run(gradient.Rows.Blocks, new BatchNormInputGradientJob<Simd512, Vector512<float>>(gradient, slope, offset, dx, streams));
                break;
            case SimdWidth.Bits256:
                _workers.Run(gradient.Rows.Blocks, new BatchNormInputGradientJob<Simd256, Vector256<float>>(gradient, slope, offset, dx, streams));
                break;
            default:
                _workers.Run(gradient.Rows.Blocks, new BatchNormInputGradientJob<Simd128, Vector128<float>>(gradient, slope, offset, dx, streams));
                break;
        }
    }
}
