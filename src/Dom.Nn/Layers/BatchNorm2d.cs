using Dom.Tensors;

namespace Dom.Nn.Layers;

/// <summary>
/// Batch normalization over all axes but the channels: [N, H, W, channels] or [N, channels] -> the same. Parameters: weight, bias [channels];
/// buffers: running_mean, running_var. Momentum 0.1 and epsilon 1e-5, PyTorch's defaults.
/// </summary>
public sealed class BatchNorm2d : Module
{
    private readonly Parameter _weight, _bias;
    private readonly StateBuffer _mean, _variance;

    /// <summary>Normalizes <paramref name="channels"/> channels.</summary>
    public BatchNorm2d(int channels)
    {
        _weight = Register("weight", new Parameter(Shape.Of(channels), Initialization.Ones));
        _bias = Register("bias", new Parameter(Shape.Of(channels), Initialization.Zeros));
        _mean = Register("running_mean", new StateBuffer(Shape.Of(channels), 0));
        _variance = Register("running_var", new StateBuffer(Shape.Of(channels), 1));
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x, Pass pass) => Apply(x, pass, relu: false);

    /// <summary>Normalizes and rectifies in one pass over memory.</summary>
    public Tensor ApplyRelu(Tensor x, Pass pass) => Apply(x, pass, relu: true);

    private Tensor Apply(Tensor x, Pass pass, bool relu)
    {
        var running = (_mean.Value, _variance.Value);
        return pass.BatchNorm switch
        {
            BatchNormMode.UpdateStatistics => Tensors.Ops.BatchNorm2d.Train(x, _weight.Value, _bias.Value, running, relu: relu),
            BatchNormMode.BatchStatisticsOnly => Tensors.Ops.BatchNorm2d.Train(x, _weight.Value, _bias.Value, null, relu: relu),
            _ => Tensors.Ops.BatchNorm2d.Infer(x, _weight.Value, _bias.Value, running, relu: relu),
        };
    }
}
