using Dom.Tensors;

namespace Dom.Nn.Layers;

/// <summary>Convolution without a bias: x [N, H, W, inputs] -> [N, H', W', outputs]. Parameter: weight [outputs, kernel, kernel, inputs].</summary>
public sealed class Conv2d : Module
{
    private readonly Parameter _weight;
    private readonly int _stride, _padding;

    /// <summary>A square kernel.</summary>
    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="kernel">Rows and columns of the kernel.</param>
    /// <param name="stride">Step along both axes.</param>
    /// <param name="padding">Zeros on all sides.</param>
    /// <param name="initialization">First values; PyTorch's default where null.</param>
    public Conv2d(int inputs, int outputs, int kernel, int stride = 1, int padding = 0, Initialization? initialization = null)
    {
        (_stride, _padding) = (stride, padding);
        _weight = Register("weight", new Parameter(
            Shape.Of(outputs, kernel, kernel, inputs),
            initialization ?? Initialization.PyTorchDefault(inputs * kernel * kernel), FileLayout.ChannelsSecond));
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x, Pass pass)
    {
        var rounded = pass.Precision == Precision.BF16 ? _weight.Rounded : null;
        return Tensors.Ops.Conv2d.Apply(x, _weight.Value, _stride, _padding, rounded);
    }
}
