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
    /// <param name="positions">
    /// Where the inputs are a flattened feature map: its number of pixels. Here channels are innermost, in PyTorch's files pixels are, and the weight is permuted
    /// on the way.
    /// </param>
    public Linear(int inputs, int outputs, bool zeroBias = false, int positions = 1)
    {
        _weight = Register("weight", new Parameter(
            Shape.Of(outputs, inputs), Initialization.PyTorchDefault(inputs), positions == 1 ? FileLayout.AsIs : FileLayout.FlattenedMap, positions));
        _bias = Register("bias", new Parameter(
            Shape.Of(outputs), zeroBias ? Initialization.Zeros : Initialization.PyTorchDefault(inputs)));
    }

    /// <inheritdoc/>
    /// <remarks>
    /// In bf16 the weight is cast here, for its gradient to be cast back: a matrix product has one type for its operands and its result, and so cannot
    /// write the gradient in f32 as a convolution does. A residual network has one such layer, and a small one. The bias is read, and its gradient written, in f32.
    /// </remarks>
    public override Tensor Apply(Tensor x, Pass pass) => Tensors.Ops.Linear.Apply(
        x, pass.Precision == Precision.BF16 ? Cast.Apply(_weight.Value, DType.BF16) : _weight.Value, _bias.Value);
}
