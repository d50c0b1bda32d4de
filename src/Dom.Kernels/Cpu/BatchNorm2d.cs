using System.Numerics;
using System.Runtime.CompilerServices;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// Memory-bound: the walk over x is strictly sequential, all channels of a row before the next row, with accumulators and constants in the
// first-level cache. Rows are cut into blocks whose size depends on the channels only; each block leaves its partial sums (f32), which are
// added in f64 in the order of the blocks. So the number of threads changes no bit.
public sealed unsafe partial class CpuBackend :
    IKernel<BatchNorm2dTrain>, IKernel<BatchNorm2dInfer>, IKernel<BatchNorm2dTrainBackward>, IKernel<BatchNorm2dInferBackward>
{
    void IKernel<BatchNorm2dTrain>.Run(in BatchNorm2dTrain call)
    {
        const string Name = nameof(BatchNorm2dTrain);
        float* x = Floats(call.X, Name), gamma = Floats(call.Gamma, Name), mean = Floats(call.Mean, Name), inverseStd = Floats(call.InverseStd, Name);
        float* runningMean = Floats(call.RunningMean, Name), runningVariance = Floats(call.RunningVariance, Name);
        int channels = call.Channels, rows = call.Rows;
        var blocks = new RowBlocks(rows, channels);
        float* partial = SharedScratch.Floats((long)blocks.Count * 2 * channels + channels);
        float* scale = partial + (long)blocks.Count * 2 * channels;

        _workers.Run(blocks.Count, new StatisticsJob(blocks, x, partial));
        for (int c = 0; c < channels; c++)
        {
            // Sums of x - x[0]: subtracting a value of the channel keeps the digits that sum(x^2) - sum(x)^2 would lose at |mean| >> std.
            double sum = blocks.Total(partial, c), squares = blocks.Total(partial, channels + c);
            double shifted = sum / rows, variance = Math.Max(0, squares / rows - shifted * shifted);
            mean[c] = (float)(x[c] + shifted);
            inverseStd[c] = (float)(1 / Math.Sqrt(variance + call.Epsilon));
            scale[c] = gamma[c] * inverseStd[c];
            if (runningMean is null)
                continue;
            runningMean[c] += call.Momentum * (mean[c] - runningMean[c]);
            runningVariance[c] += call.Momentum * ((float)(variance * rows / (rows - 1)) - runningVariance[c]);
        }
        _workers.Run(blocks.Count, new NormalizeJob(blocks, x, mean, scale, Floats(call.Beta, Name), Floats(call.Y, Name), call.Relu == 1));
    }

    void IKernel<BatchNorm2dInfer>.Run(in BatchNorm2dInfer call)
    {
        const string Name = nameof(BatchNorm2dInfer);
        var blocks = new RowBlocks(call.Rows, call.Channels);
        float* scale = SharedScratch.Floats(2L * call.Channels);
        InferenceScale(Floats(call.Gamma, Name), Floats(call.Variance, Name), call.Epsilon, call.Channels, scale, scale + call.Channels);
        _workers.Run(blocks.Count, new NormalizeJob(
            blocks, Floats(call.X, Name), Floats(call.Mean, Name), scale, Floats(call.Beta, Name), Floats(call.Y, Name), call.Relu == 1));
    }

    void IKernel<BatchNorm2dTrainBackward>.Run(in BatchNorm2dTrainBackward call)
    {
        const string Name = nameof(BatchNorm2dTrainBackward);
        int channels = call.Channels;
        float* gamma = Floats(call.Gamma, Name), inverseStd = Floats(call.InverseStd, Name);
        float* dgamma = Floats(call.DGamma, Name), dbeta = Floats(call.DBeta, Name);
        var blocks = new RowBlocks(call.Rows, channels);
        float* partial = SharedScratch.Floats((long)blocks.Count * 2 * channels + 3L * channels);
        float* scale = partial + (long)blocks.Count * 2 * channels, slope = scale + channels, offset = slope + channels;
        for (int c = 0; c < channels; c++)
            scale[c] = gamma[c] * inverseStd[c];
        var gradient = new GradientJob(
            blocks, Floats(call.X, Name), Floats(call.Dy, Name), Floats(call.Mean, Name), scale, Floats(call.Beta, Name), call.Relu == 1,
            partial, slope, offset, Floats(call.Dx, Name));
        _workers.Run(blocks.Count, new GradientSumsJob(gradient));
        for (int c = 0; c < channels; c++)
        {
            double sum = blocks.Total(partial, c), product = blocks.Total(partial, channels + c) * inverseStd[c];
            dbeta[c] = (float)sum;
            dgamma[c] = (float)product;
            slope[c] = (float)(-scale[c] * inverseStd[c] * product / call.Rows);
            offset[c] = (float)(-scale[c] * sum / call.Rows);
        }
        if (!call.Dx.IsNone)
            _workers.Run(blocks.Count, gradient);
    }

    void IKernel<BatchNorm2dInferBackward>.Run(in BatchNorm2dInferBackward call)
    {
        const string Name = nameof(BatchNorm2dInferBackward);
        int channels = call.Channels;
        float* dgamma = Floats(call.DGamma, Name), dbeta = Floats(call.DBeta, Name);
        var blocks = new RowBlocks(call.Rows, channels);
        float* partial = SharedScratch.Floats((long)blocks.Count * 2 * channels + 4L * channels);
        float* scale = partial + (long)blocks.Count * 2 * channels, inverseStd = scale + channels;
        float* slope = inverseStd + channels, offset = slope + channels;
        InferenceScale(Floats(call.Gamma, Name), Floats(call.Variance, Name), call.Epsilon, channels, scale, inverseStd);
        new Span<float>(slope, 2 * channels).Clear(); // the statistics are constants: dx = scale dy, nothing more
        var gradient = new GradientJob(
            blocks, Floats(call.X, Name), Floats(call.Dy, Name), Floats(call.Mean, Name), scale, Floats(call.Beta, Name), call.Relu == 1,
            partial, slope, offset, Floats(call.Dx, Name));
        if (dgamma is not null)
        {
            _workers.Run(blocks.Count, new GradientSumsJob(gradient));
            for (int c = 0; c < channels; c++)
            {
                dbeta[c] = (float)blocks.Total(partial, c);
                dgamma[c] = (float)(blocks.Total(partial, channels + c) * inverseStd[c]);
            }
        }
        if (!call.Dx.IsNone)
            _workers.Run(blocks.Count, gradient);
    }

    private static void InferenceScale(float* gamma, float* variance, float epsilon, int channels, float* scale, float* inverseStd)
    {
        for (int c = 0; c < channels; c++)
        {
            inverseStd[c] = (float)(1 / Math.Sqrt((double)variance[c] + epsilon));
            scale[c] = gamma[c] * inverseStd[c];
        }
    }

    /// <summary>Rows in blocks of about 32,768 elements.</summary>
    private readonly struct RowBlocks(int rows, int channels)
    {
        private readonly int _size = Math.Max(1, 32768 / channels);

        public int Channels => channels;

        public int Count => (rows + _size - 1) / _size;

        public int Start(int block) => block * _size;

        public int End(int block) => Math.Min(rows, (block + 1) * _size);

        /// <summary>Sum over the blocks of column <paramref name="column"/> of the partial sums [block][2 channels], in f64.</summary>
        public double Total(float* partial, int column)
        {
            double total = 0;
            for (int block = 0; block < Count; block++)
                total += partial[(long)block * 2 * channels + column];
            return total;
        }
    }

    /// <summary>partial[block] = sums of x - x[0] and of its square, channel by channel.</summary>
    private readonly struct StatisticsJob(RowBlocks blocks, float* x, float* partial) : IJob
    {
        private readonly float* _x = x, _partial = partial;

        public void Execute(int task, int worker)
        {
            int channels = blocks.Channels;
            float* sum = _partial + (long)task * 2 * channels, squares = sum + channels;
            new Span<float>(sum, 2 * channels).Clear();
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                float* x = _x + (long)row * channels;
                int c = 0;
                for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
                {
                    var v = Vector.Load(x + c) - Vector.Load(_x + c);
                    (Vector.Load(sum + c) + v).Store(sum + c);
                    Vector.FusedMultiplyAdd(v, v, Vector.Load(squares + c)).Store(squares + c);
                }
                for (; c < channels; c++)
                {
                    float v = x[c] - _x[c];
                    sum[c] += v;
                    squares[c] = MathF.FusedMultiplyAdd(v, v, squares[c]);
                }
            }
        }
    }

    /// <summary>y = (x - mean) scale + beta, rectified if asked for.</summary>
    private readonly struct NormalizeJob(RowBlocks blocks, float* x, float* mean, float* scale, float* beta, float* y, bool relu) : IJob
    {
        private readonly float* _x = x, _mean = mean, _scale = scale, _beta = beta, _y = y;

        public void Execute(int task, int worker)
        {
            int channels = blocks.Channels;
            // A floor of minus infinity leaves y alone; Max lets a NaN through, as the rectifier must.
            float lowest = relu ? 0 : float.NegativeInfinity;
            var floor = new Vector<float>(lowest);
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                float* x = _x + (long)row * channels, y = _y + (long)row * channels;
                int c = 0;
                for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
                    Vector.Max(Vector.FusedMultiplyAdd(
                        Vector.Load(x + c) - Vector.Load(_mean + c), Vector.Load(_scale + c), Vector.Load(_beta + c)), floor).Store(y + c);
                for (; c < channels; c++)
                    y[c] = MathF.Max(MathF.FusedMultiplyAdd(x[c] - _mean[c], _scale[c], _beta[c]), lowest);
            }
        }
    }

    /// <summary>dx = scale dy' + slope (x - mean) + offset, where dy' is dy without the elements that a fused rectifier stopped.</summary>
    private readonly struct GradientJob(
        RowBlocks blocks, float* x, float* dy, float* mean, float* scale, float* beta, bool relu,
        float* partial, float* slope, float* offset, float* dx) : IJob
    {
        private readonly float* _x = x, _dy = dy, _mean = mean, _scale = scale, _beta = beta;
        private readonly float* _partial = partial, _slope = slope, _offset = offset, _dx = dx;

        public void Execute(int task, int worker)
        {
            int channels = blocks.Channels;
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                long at = (long)row * channels;
                int c = 0;
                for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
                {
                    var (centered, dy) = Vectors(at, c);
                    var rest = Vector.FusedMultiplyAdd(centered, Vector.Load(_slope + c), Vector.Load(_offset + c));
                    Vector.FusedMultiplyAdd(dy, Vector.Load(_scale + c), rest).Store(_dx + at + c);
                }
                for (; c < channels; c++)
                {
                    var (centered, dy) = Numbers(at, c);
                    float rest = MathF.FusedMultiplyAdd(centered, _slope[c], _offset[c]);
                    _dx[at + c] = MathF.FusedMultiplyAdd(dy, _scale[c], rest);
                }
            }
        }

        /// <summary>partial[block] = sums of dy' and of dy' (x - mean), channel by channel.</summary>
        public void Sums(int task)
        {
            int channels = blocks.Channels;
            float* sum = _partial + (long)task * 2 * channels, product = sum + channels;
            new Span<float>(sum, 2 * channels).Clear();
            for (int row = blocks.Start(task); row < blocks.End(task); row++)
            {
                long at = (long)row * channels;
                int c = 0;
                for (; c <= channels - Vector<float>.Count; c += Vector<float>.Count)
                {
                    var (centered, dy) = Vectors(at, c);
                    (Vector.Load(sum + c) + dy).Store(sum + c);
                    Vector.FusedMultiplyAdd(dy, centered, Vector.Load(product + c)).Store(product + c);
                }
                for (; c < channels; c++)
                {
                    var (centered, dy) = Numbers(at, c);
                    sum[c] += dy;
                    product[c] = MathF.FusedMultiplyAdd(dy, centered, product[c]);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private (Vector<float> Centered, Vector<float> Dy) Vectors(long at, int c)
        {
            var centered = Vector.Load(_x + at + c) - Vector.Load(_mean + c);
            var dy = Vector.Load(_dy + at + c);
            if (relu)
            {
                var y = Vector.FusedMultiplyAdd(centered, Vector.Load(_scale + c), Vector.Load(_beta + c));
                dy = Vector.ConditionalSelect(Vector.GreaterThan(y, Vector<float>.Zero), dy, Vector<float>.Zero);
            }
            return (centered, dy);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private (float Centered, float Dy) Numbers(long at, int c)
        {
            float centered = _x[at + c] - _mean[c];
            bool stopped = relu && !(MathF.FusedMultiplyAdd(centered, _scale[c], _beta[c]) > 0);
            return (centered, stopped ? 0 : _dy[at + c]);
        }
    }

    private readonly struct GradientSumsJob(GradientJob job) : IJob
    {
        public void Execute(int task, int worker) => job.Sums(task);
    }
}
