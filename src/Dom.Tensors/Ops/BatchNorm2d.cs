using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// Batch normalization with the statistics of the batch. For every channel c over the rows r (rows = N H W):
/// mean = sum_r x / R, variance = sum_r (x - mean)^2 / R, inverseStd = 1 / sqrt(variance + epsilon), y = (x - mean) inverseStd gamma + beta.
/// </summary>
/// <remarks>
/// The biased variance normalizes, the unbiased one (R - 1) updates the running value: PyTorch does, and parity tests look at both.
/// x, y [R, C]; the rest [C]. The running statistics may be absent; else running = (1 - momentum) running + momentum statistic.
/// With <paramref name="Relu"/> = 1, y = max(y, 0): the rectifier that follows costs no pass over memory of its own.
/// </remarks>
public readonly record struct BatchNorm2dTrain(
    View X, View Gamma, View Beta, View Y, View Mean, View InverseStd, View RunningMean, View RunningVariance,
    int Rows, int Channels, float Epsilon, float Momentum, int Relu) : IKernelCall;

/// <summary>Batch normalization with given statistics: y = (x - mean) / sqrt(variance + epsilon) gamma + beta, then max(y, 0) if Relu = 1.</summary>
public readonly record struct BatchNorm2dInfer(
    View X, View Gamma, View Beta, View Mean, View Variance, View Y,
    int Rows, int Channels, float Epsilon, int Relu) : IKernelCall;

/// <summary>
/// Gradients of <see cref="BatchNorm2dTrain"/>: with xhat = (x - mean) inverseStd,
/// dbeta = sum_r dy, dgamma = sum_r dy xhat, dx = gamma inverseStd (dy - dbeta / R - xhat dgamma / R).
/// </summary>
/// <remarks>With Relu = 1, dy counts only where the forward result was positive. Dx may be absent; dgamma and dbeta are always written.</remarks>
public readonly record struct BatchNorm2dTrainBackward(
    View X, View Dy, View Gamma, View Beta, View Mean, View InverseStd, View Dx, View DGamma, View DBeta,
    int Rows, int Channels, int Relu) : IKernelCall;

/// <summary>
/// Gradients of <see cref="BatchNorm2dInfer"/>, whose statistics are constants: dx = gamma dy / sqrt(variance + epsilon). An attack on a network
/// in evaluation mode needs it. Dx may be absent, and so may DGamma and DBeta (both together).
/// </summary>
public readonly record struct BatchNorm2dInferBackward(
    View X, View Dy, View Gamma, View Beta, View Mean, View Variance, View Dx, View DGamma, View DBeta,
    int Rows, int Channels, float Epsilon, int Relu) : IKernelCall;

/// <summary>Batch normalization over all axes but the last, the channels (Ioffe and Szegedy 2015).</summary>
public static class BatchNorm2d
{
    /// <summary>Normalizes with the statistics of the batch.</summary>
    /// <param name="x">[N, H, W, C] or [N, C].</param>
    /// <param name="gamma">Scale [C].</param>
    /// <param name="beta">Shift [C].</param>
    /// <param name="running">Running mean and variance [C] to be updated, or null to leave them alone.</param>
    /// <param name="momentum">Weight of the new statistic, 0..1; PyTorch's default is 0.1.</param>
    /// <param name="epsilon">Added to the variance, above 0.</param>
    /// <param name="relu">Whether to apply max(y, 0) as well.</param>
    /// <exception cref="ShapeException">The channels do not agree, or there is one value a channel only.</exception>
    public static Tensor Train(
        Tensor x, Tensor gamma, Tensor beta, (Tensor Mean, Tensor Variance)? running,
        float momentum = 0.1f, float epsilon = 1e-5f, bool relu = false)
    {
        int rows = CheckedRows(x, gamma, beta);
        if (rows == 1)
            throw new ShapeException($"batchnorm2d: {x.Shape} has one value a channel; a variance needs more. Use a larger batch.");
        var statistics = Shape.Of(x.Shape[-1]);
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "batchnorm2d");
        var mean = Tensor.Empty(statistics, gamma.Type, x.Backend, "batchnorm2d");
        var inverseStd = Tensor.Empty(statistics, gamma.Type, x.Backend, "batchnorm2d");
        x.Backend.Run(new BatchNorm2dTrain(
            x.Read, gamma.Read, beta.Read, y.Write, mean.Write, inverseStd.Write,
            running?.Mean.ReadWrite ?? View.None, running?.Variance.ReadWrite ?? View.None,
            rows, x.Shape[-1], epsilon, momentum, relu ? 1 : 0));
        if (Tape.Tracks(x) || Tape.Tracks(gamma) || Tape.Tracks(beta))
            Tape.Record(new TrainOp(y, x, gamma, beta, mean, inverseStd, relu));
        return y;
    }

    /// <summary>Normalizes with the running statistics; parameters as in <see cref="Train"/>.</summary>
    /// <exception cref="ShapeException">The channels do not agree.</exception>
    public static Tensor Infer(
        Tensor x, Tensor gamma, Tensor beta, (Tensor Mean, Tensor Variance) running, float epsilon = 1e-5f, bool relu = false)
    {
        int rows = CheckedRows(x, gamma, beta);
        var y = Tensor.Empty(x.Shape, x.Type, x.Backend, "batchnorm2d");
        x.Backend.Run(new BatchNorm2dInfer(
            x.Read, gamma.Read, beta.Read, running.Mean.Read, running.Variance.Read, y.Write,
            rows, x.Shape[-1], epsilon, relu ? 1 : 0));
        if (Tape.Tracks(x) || Tape.Tracks(gamma) || Tape.Tracks(beta))
            Tape.Record(new InferOp(y, x, gamma, beta, running, epsilon, relu));
        return y;
    }

    private static int CheckedRows(Tensor x, Tensor gamma, Tensor beta)
    {
        if (x.Shape.Rank < 2)
            throw new ShapeException($"batchnorm2d: x must be [N, H, W, C] or [N, C], got {x.Shape}.");
        int channels = x.Shape[-1];
        if (gamma.Shape != Shape.Of(channels) || beta.Shape != Shape.Of(channels))
            throw new ShapeException(
                $"batchnorm2d: x {x.Shape} has {channels} channels, gamma is {gamma.Shape} and beta {beta.Shape}; both must be [{channels}].");
        return channels == 0 ? 0 : x.Count / channels;
    }

    private sealed class TrainOp : Op
    {
        private readonly Tensor _x, _gamma, _beta, _mean, _inverseStd;
        private readonly bool _relu;

        public TrainOp(Tensor y, Tensor x, Tensor gamma, Tensor beta, Tensor mean, Tensor inverseStd, bool relu)
            : base("batchnorm2d", y, x, gamma, beta) =>
            (_x, _gamma, _beta, _mean, _inverseStd, _relu) = (Save(x), Save(gamma), Save(beta), Save(mean), Save(inverseStd), relu);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dx = Needs(0) ? gradients.Allocate(Input(0)) : null;
            // dx contains both sums, so they are computed even where nobody asked for them.
            var dgamma = Needs(1) ? gradients.Allocate(Input(1)) : Tensor.Empty(_gamma.Shape, _gamma.Type, Backend, Name);
            var dbeta = Needs(2) ? gradients.Allocate(Input(2)) : Tensor.Empty(_beta.Shape, _beta.Type, Backend, Name);
            Backend.Run(new BatchNorm2dTrainBackward(
                _x.Read, dy.Read, _gamma.Read, _beta.Read, _mean.Read, _inverseStd.Read,
                dx?.Write ?? View.None, dgamma.Write, dbeta.Write, _x.Count / _gamma.Count, _gamma.Count, _relu ? 1 : 0));
            if (dx is not null) gradients.AddOwned(Input(0), dx);
            if (Needs(1)) gradients.AddOwned(Input(1), dgamma);
            if (Needs(2)) gradients.AddOwned(Input(2), dbeta);
        }
    }

    private sealed class InferOp : Op
    {
        private readonly Tensor _x, _gamma, _beta, _mean, _variance;
        private readonly float _epsilon;
        private readonly bool _relu;

        public InferOp(Tensor y, Tensor x, Tensor gamma, Tensor beta, (Tensor Mean, Tensor Variance) running, float epsilon, bool relu)
            : base("batchnorm2d", y, x, gamma, beta) =>
            (_x, _gamma, _beta, _mean, _variance, _epsilon, _relu) =
            (Save(x), Save(gamma), Save(beta), Save(running.Mean), Save(running.Variance), epsilon, relu);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            bool needsParameters = Needs(1) || Needs(2);
            var dx = Needs(0) ? gradients.Allocate(Input(0)) : null;
            var dgamma = !needsParameters ? null : Needs(1) ? gradients.Allocate(Input(1)) : Tensor.Empty(_gamma.Shape, _gamma.Type, Backend, Name);
            var dbeta = !needsParameters ? null : Needs(2) ? gradients.Allocate(Input(2)) : Tensor.Empty(_beta.Shape, _beta.Type, Backend, Name);
            Backend.Run(new BatchNorm2dInferBackward(
                _x.Read, dy.Read, _gamma.Read, _beta.Read, _mean.Read, _variance.Read,
                dx?.Write ?? View.None, dgamma?.Write ?? View.None, dbeta?.Write ?? View.None,
                _x.Count / _gamma.Count, _gamma.Count, _epsilon, _relu ? 1 : 0));
            if (dx is not null) gradients.AddOwned(Input(0), dx);
            if (Needs(1)) gradients.AddOwned(Input(1), dgamma!);
            if (Needs(2)) gradients.AddOwned(Input(2), dbeta!);
        }
    }
}
