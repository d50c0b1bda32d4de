using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Nn.Layers;

/// <summary>y = x weight^T + bias: [N, inputs] -> [N, outputs]. Parameters: weight [outputs, inputs], bias [outputs].</summary>
public sealed class Linear : Module
{
    private readonly Parameter _weight, _bias;

    /// <summary>A layer with PyTorch's default initialization, or with a bias of zero.</summary>
    /// <param name="inputs">Input features.</param>
    /// <param name="outputs">Output features.</param>
    /// <param name="zeroBias">Whether the bias starts at 0 (WideResNet) instead of uniform within 1 / sqrt(inputs).</param>
    public Linear(int inputs, int outputs, bool zeroBias = false)
    {
        _weight = Register("weight", new Parameter(Shape.Of(outputs, inputs), Initialization.PyTorchDefault(inputs)));
        _bias = Register("bias", new Parameter(
            Shape.Of(outputs), zeroBias ? Initialization.Zeros : Initialization.PyTorchDefault(inputs)));
    }

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x, Pass pass) => x.Type == DType.BF16
        ? Tensors.Ops.Linear.Apply(x, Cast.Apply(_weight.Value, DType.BF16), Cast.Apply(_bias.Value, DType.BF16))
        : Tensors.Ops.Linear.Apply(x, _weight.Value, _bias.Value);
}
