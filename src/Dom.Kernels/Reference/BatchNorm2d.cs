using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Reference;

public sealed partial class ReferenceBackend :
    IKernel<BatchNorm2dTrain>, IKernel<BatchNorm2dInfer>, IKernel<BatchNorm2dTrainBackward>, IKernel<BatchNorm2dInferBackward>
{
    void IKernel<BatchNorm2dTrain>.Run(in BatchNorm2dTrain call)
    {
        double[] x = Load(call.X), gamma = Load(call.Gamma), beta = Load(call.Beta);
        double[] runningMean = Load(call.RunningMean), runningVariance = Load(call.RunningVariance);
        int rows = call.Rows, channels = call.Channels;
        double[] mean = new double[channels], inverseStd = new double[channels], y = new double[x.Length];
        for (int c = 0; c < channels; c++)
        {
            for (int r = 0; r < rows; r++)
                mean[c] += x[r * channels + c];
            mean[c] /= rows;
            double squares = 0;
            for (int r = 0; r < rows; r++)
                squares += Math.Pow(x[r * channels + c] - mean[c], 2);
            inverseStd[c] = 1 / Math.Sqrt(squares / rows + call.Epsilon);
            for (int r = 0; r < rows; r++)
                y[r * channels + c] = Rectified((x[r * channels + c] - mean[c]) * inverseStd[c] * gamma[c] + beta[c], call.Relu);
            if (call.RunningMean.IsNone)
                continue;
            runningMean[c] += call.Momentum * (mean[c] - runningMean[c]);
            runningVariance[c] += call.Momentum * (squares / (rows - 1) - runningVariance[c]);
        }
        Store(y, call.Y);
        Store(mean, call.Mean);
        Store(inverseStd, call.InverseStd);
        Store(runningMean, call.RunningMean);
        Store(runningVariance, call.RunningVariance);
    }

    void IKernel<BatchNorm2dInfer>.Run(in BatchNorm2dInfer call)
    {
        double[] x = Load(call.X), gamma = Load(call.Gamma), beta = Load(call.Beta), mean = Load(call.Mean);
        var inverseStd = InverseStd(call.Variance, call.Epsilon);
        for (int i = 0; i < x.Length; i++)
        {
            int c = i % call.Channels;
            x[i] = Rectified((x[i] - mean[c]) * inverseStd[c] * gamma[c] + beta[c], call.Relu);
        }
        Store(x, call.Y);
    }

    void IKernel<BatchNorm2dTrainBackward>.Run(in BatchNorm2dTrainBackward call)
    {
        double[] gamma = Load(call.Gamma), inverseStd = Load(call.InverseStd);
        var (xhat, dy) = Rectify(Load(call.X), Load(call.Dy), gamma, Load(call.Beta), Load(call.Mean), inverseStd, call.Relu);
        var (dgamma, dbeta) = ParameterGradients(xhat, dy, call.Channels);
        var dx = new double[xhat.Length];
        for (int i = 0; i < dx.Length; i++)
        {
            int c = i % call.Channels;
            dx[i] = gamma[c] * inverseStd[c] * (dy[i] - dbeta[c] / call.Rows - xhat[i] * dgamma[c] / call.Rows);
        }
        Store(dx, call.Dx);
        Store(dgamma, call.DGamma);
        Store(dbeta, call.DBeta);
    }

    void IKernel<BatchNorm2dInferBackward>.Run(in BatchNorm2dInferBackward call)
    {
        double[] gamma = Load(call.Gamma), inverseStd = InverseStd(call.Variance, call.Epsilon);
        var (xhat, dy) = Rectify(Load(call.X), Load(call.Dy), gamma, Load(call.Beta), Load(call.Mean), inverseStd, call.Relu);
        var (dgamma, dbeta) = ParameterGradients(xhat, dy, call.Channels);
        for (int i = 0; i < dy.Length; i++)
            dy[i] *= gamma[i % call.Channels] * inverseStd[i % call.Channels];
        Store(dy, call.Dx);
        Store(dgamma, call.DGamma);
        Store(dbeta, call.DBeta);
    }

    private static double Rectified(double y, int relu) => relu == 1 && y < 0 ? 0 : y;

    private static double[] InverseStd(View variance, double epsilon) =>
        Array.ConvertAll(Load(variance), v => 1 / Math.Sqrt(v + epsilon));

    /// <summary>The normalized x, and dy with zeros where a fused rectifier gave 0.</summary>
    private static (double[] Xhat, double[] Dy) Rectify(
        double[] x, double[] dy, double[] gamma, double[] beta, double[] mean, double[] inverseStd, int relu)
    {
        for (int i = 0; i < x.Length; i++)
        {
            int c = i % mean.Length;
            x[i] = (x[i] - mean[c]) * inverseStd[c];
            if (relu == 1 && x[i] * gamma[c] + beta[c] <= 0)
                dy[i] = 0;
        }
        return (x, dy);
    }

    private static (double[] DGamma, double[] DBeta) ParameterGradients(double[] xhat, double[] dy, int channels)
    {
        double[] dgamma = new double[channels], dbeta = new double[channels];
        for (int i = 0; i < dy.Length; i++)
        {
            dgamma[i % channels] += dy[i] * xhat[i];
            dbeta[i % channels] += dy[i];
        }
        return (dgamma, dbeta);
    }
}
