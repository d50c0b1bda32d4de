using Dom.Nn.Layers;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Nn.Models;

/// <summary>
/// Pre-activation residual network (He et al. 2016, "Identity mappings in deep residual networks") for small images: a 3x3 stem, stages of
/// two-convolution blocks of which all but the first halve the image, a final batch norm + ReLU, average pooling and a linear layer.
/// </summary>
/// <remarks>
/// The pooling is over windows of 4x4, as in the authors' code: for images of 32x32 that is the whole last feature map of PreActResNet-18, for 64x64 (Tiny
/// ImageNet) four windows, so that the linear layer has 2048 inputs, in files in PyTorch's order. Maps of at most 4x4 are averaged whole.
/// Names and structure are those of the DOM authors' PyTorch model, so state dictionaries fit: conv1, layer1.0.bn1, ..., bn, linear. PreActResNet-18
/// has 11,172,170 parameters for 10 classes and 11,218,340 for 100, in either case of images of up to 32x32.
/// </remarks>
public sealed class PreActResNet : Module
{
    private const int Window = 4;

    private readonly Layers.Conv2d _conv1;
    private readonly List<Block> _blocks = [];
    private readonly Layers.BatchNorm2d _bn;
    private readonly Layers.Linear _linear;
    private readonly int _window;

    /// <summary>A network with one stage per entry of <paramref name="widths"/>.</summary>
    /// <param name="widths">Channels of each stage; the stem has those of the first.</param>
    /// <param name="blocks">Blocks of each stage.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="channels">Channels of the image.</param>
    /// <param name="window">Side of the windows that are averaged in the end; 0 for the whole map.</param>
    /// <param name="windows">Number of such windows in the last map, 1 for the whole map.</param>
    public PreActResNet(int[] widths, int[] blocks, int classes, int channels = 3, int window = 0, int windows = 1)
    {
        _window = window;
        _conv1 = Register("conv1", new Layers.Conv2d(channels, widths[0], 3, padding: 1));
        int inputs = widths[0];
        for (int stage = 0; stage < widths.Length; stage++)
            for (int i = 0; i < blocks[stage]; i++)
            {
                int stride = i == 0 && stage > 0 ? 2 : 1;
                _blocks.Add(Register($"layer{stage + 1}.{i}", new Block(inputs, widths[stage], stride)));
                inputs = widths[stage];
            }
        _bn = Register("bn", new Layers.BatchNorm2d(inputs));
        _linear = Register("linear", new Layers.Linear(inputs * windows, classes, positions: windows));
    }

    /// <summary>PreActResNet-18: 64, 128, 256 and 512 channels, two blocks each.</summary>
    /// <param name="classes">Number of classes.</param>
    /// <param name="channels">Channels of the image.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <exception cref="ArgumentException">The last feature map is larger than a window of 4x4 and cannot be divided into such windows.</exception>
    public static PreActResNet ResNet18(int classes, int channels = 3, int height = 32, int width = 32)
    {
        int[] widths = [64, 128, 256, 512], blocks = [2, 2, 2, 2];
        int rows = Halved(height, widths.Length - 1), columns = Halved(width, widths.Length - 1);
        if (rows <= Window && columns <= Window)
            return new PreActResNet(widths, blocks, classes, channels);
        if (rows % Window != 0 || columns % Window != 0)
        {
            throw new ArgumentException(
                $"preact-resnet18 averages its last feature map in windows of {Window}x{Window}; that of images of {height}x{width} pixels is {rows}x{columns}. "
                + "Images of up to 32x32 pixels will do, and those with sides of 32, 64, 96, ...");
        }
        return new PreActResNet(widths, blocks, classes, channels, Window, rows / Window * (columns / Window));
    }

    /// <summary>A small relative for a CPU and small images: 16, 32 and 64 channels, one block each (77,850 parameters for 10 classes of RGB images).</summary>
    public static PreActResNet ResNet8(int classes, int channels = 3) => new([16, 32, 64], [1, 1, 1], classes, channels);

    /// <summary>[N, H, W, channels] -> logits [N, classes].</summary>
    public override Tensor Apply(Tensor x, Pass pass)
    {
        var y = Chain(_conv1.Apply(x, pass), _blocks, pass);
        y = _bn.ApplyRelu(y, pass);
        return _linear.Apply(_window == 0 ? GlobalAveragePool.Apply(y) : Layers.WindowAverage.Apply(y, _window), pass);
    }

    // A 3x3 convolution with stride 2 and padding 1 rounds up.
    private static int Halved(int side, int times)
    {
        for (int i = 0; i < times; i++)
            side = (side + 1) / 2;
        return side;
    }

    /// <summary>Batch norm and ReLU before each of two 3x3 convolutions; a 1x1 convolution on the shortcut where the shape changes.</summary>
    private sealed class Block : Module
    {
        private readonly Layers.BatchNorm2d _bn1, _bn2;
        private readonly Layers.Conv2d _conv1, _conv2;
        private readonly Layers.Conv2d? _shortcut;

        public Block(int inputs, int outputs, int stride)
        {
            _bn1 = Register("bn1", new Layers.BatchNorm2d(inputs));
            _conv1 = Register("conv1", new Layers.Conv2d(inputs, outputs, 3, stride, padding: 1));
            _bn2 = Register("bn2", new Layers.BatchNorm2d(outputs));
            _conv2 = Register("conv2", new Layers.Conv2d(outputs, outputs, 3, padding: 1));
            if (stride != 1 || inputs != outputs)
                _shortcut = Register("shortcut.0", new Layers.Conv2d(inputs, outputs, 1, stride));
        }

        public override Tensor Apply(Tensor x, Pass pass)
        {
            using var scope = new TensorScope();
            var activated = _bn1.ApplyRelu(x, pass);
            // The projection sees the activated input, the identity the raw one.
            var shortcut = _shortcut is null ? x : _shortcut.Apply(activated, pass);
            var y = _conv1.Apply(activated, pass);
            y = _conv2.Apply(_bn2.ApplyRelu(y, pass), pass);
            return scope.Keep(Add.Apply(y, shortcut));
        }
    }
}
