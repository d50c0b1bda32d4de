using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Dom.Bench.TorchSharp;

/// <summary>PreActResNet-18 for images [N, 3, H, W] in 0..1; the normalization of the pixels is inside, as in ours.</summary>
internal sealed class PreActResNet18 : Module<Tensor, Tensor>
{
    private readonly Conv2d _stem = Conv2d(3, 64, 3, padding: 1, bias: false);
    private readonly Sequential _blocks;
    private readonly BatchNorm2d _norm = BatchNorm2d(512);
    private readonly Linear _linear = Linear(512, 10);

    public PreActResNet18() : base(nameof(PreActResNet18))
    {
        var blocks = new List<Module<Tensor, Tensor>>();
        long inputs = 64;
        foreach (var (width, stride) in new[] { (64L, 1L), (128, 2), (256, 2), (512, 2) })
        {
            blocks.Add(new Block(inputs, width, stride));
            blocks.Add(new Block(width, width, 1));
            inputs = width;
        }
        _blocks = Sequential(blocks);
        RegisterComponents();
    }

    /// <summary>Logits [N, 10].</summary>
    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _blocks.call(_stem.call((input - 0.5) / 0.25));
        return _linear.call(functional.relu(_norm.call(x), inplace: true).mean([2, 3])).MoveToOuterDisposeScope();
    }

    /// <summary>Batch norm and ReLU before each of two 3x3 convolutions; a 1x1 convolution on the shortcut where the shape changes.</summary>
    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly BatchNorm2d _norm1, _norm2;
        private readonly Conv2d _convolution1, _convolution2;
        private readonly Conv2d? _shortcut;

        public Block(long inputs, long outputs, long stride) : base(nameof(Block))
        {
            _norm1 = BatchNorm2d(inputs);
            _convolution1 = Conv2d(inputs, outputs, 3, stride, padding: 1, bias: false);
            _norm2 = BatchNorm2d(outputs);
            _convolution2 = Conv2d(outputs, outputs, 3, padding: 1, bias: false);
            if (stride > 1 || inputs != outputs)
                _shortcut = Conv2d(inputs, outputs, 1, stride, bias: false);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var activated = functional.relu(_norm1.call(input), inplace: true);
            var kept = _shortcut is null ? input : _shortcut.call(activated);
            var y = functional.relu(_norm2.call(_convolution1.call(activated)), inplace: true);
            return (_convolution2.call(y) + kept).MoveToOuterDisposeScope();
        }
    }
}
