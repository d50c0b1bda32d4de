using Dom.Nn.Layers;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Nn.Models;

/// <summary>
/// Wide residual network (Zagoruyko and Komodakis 2016) of depth 6 n + 4: three groups of n blocks with 16, 32 and 64 times the widening factor
/// channels. WideResNet-34-10 has 46,160,474 parameters for 10 classes and 46,218,164 for 100.
/// </summary>
/// <remarks>Names of the DOM authors' PyTorch model: conv1, block1.layer.0.bn1, ..., convShortcut, bn1, fc. Dropout is 0, as in the paper.</remarks>
public sealed class WideResNet : Module
{
    private readonly Layers.Conv2d _conv1;
    private readonly List<Block> _blocks = [];
    private readonly Layers.BatchNorm2d _bn1;
    private readonly Layers.Linear _fc;

    /// <summary>A network of the given depth and widening factor.</summary>
    /// <exception cref="ArgumentException">The depth is not 6 n + 4 with n of at least 1.</exception>
    public WideResNet(int depth, int width, int classes, int channels = 3)
    {
        if (depth < 10 || (depth - 4) % 6 != 0)
            throw new ArgumentException($"A WideResNet has a depth of 6 n + 4 (10, 16, 22, 28, 34, ...), got {depth}.", nameof(depth));
        _conv1 = Register("conv1", Convolution(channels, 16, 3, 1));
        int inputs = 16;
        for (int group = 0; group < 3; group++)
            for (int i = 0; i < (depth - 4) / 6; i++)
            {
                int outputs = (16 << group) * width;
                _blocks.Add(Register($"block{group + 1}.layer.{i}", new Block(inputs, outputs, i == 0 && group > 0 ? 2 : 1)));
                inputs = outputs;
            }
        _bn1 = Register("bn1", new Layers.BatchNorm2d(inputs));
        _fc = Register("fc", new Layers.Linear(inputs, classes, zeroBias: true));
    }

    /// <summary>[N, H, W, channels] -> logits [N, classes].</summary>
    public override Tensor Apply(Tensor x, Pass pass)
    {
        var y = Chain(_conv1.Apply(x, pass), _blocks, pass);
        return _fc.Apply(GlobalAveragePool.Apply(_bn1.ApplyRelu(y, pass)), pass);
    }

    private static Layers.Conv2d Convolution(int inputs, int outputs, int kernel, int stride) =>
        new(inputs, outputs, kernel, stride, kernel / 2, Initialization.HeFanOut(kernel * kernel, outputs));

    private sealed class Block : Module
    {
        private readonly Layers.BatchNorm2d _bn1, _bn2;
        private readonly Layers.Conv2d _conv1, _conv2;
        private readonly Layers.Conv2d? _shortcut;

        public Block(int inputs, int outputs, int stride)
        {
            _bn1 = Register("bn1", new Layers.BatchNorm2d(inputs));
            _conv1 = Register("conv1", Convolution(inputs, outputs, 3, stride));
            _bn2 = Register("bn2", new Layers.BatchNorm2d(outputs));
            _conv2 = Register("conv2", Convolution(outputs, outputs, 3, 1));
            if (inputs != outputs)
                _shortcut = Register("convShortcut", Convolution(inputs, outputs, 1, stride));
        }

        public override Tensor Apply(Tensor x, Pass pass)
        {
            using var scope = new TensorScope();
            var activated = _bn1.ApplyRelu(x, pass);
            var y = _conv2.Apply(_bn2.ApplyRelu(_conv1.Apply(activated, pass), pass), pass);
            return scope.Keep(Add.Apply(y, _shortcut is null ? x : _shortcut.Apply(activated, pass)));
        }
    }
}
