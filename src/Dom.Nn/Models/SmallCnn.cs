using Dom.Nn.Layers;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Nn.Models;

/// <summary>
/// The small AlexNet-like network of Arpit et al. 2017 (section 2.1): 2 pixels cut off every side, twice (5x5 convolution with 200 filters, batch
/// norm, ReLU, 3x3 max pooling), then dense layers of 384 and 192 units with batch norm and ReLU, then the classes.
/// </summary>
/// <remarks>
/// The paper states neither the stride of the pools nor the padding. INFER: stride 2 and padding that keeps the size of the convolutions
/// (32 -> 28 -> 14 -> 7), the family of Zhang et al. 2017, since a stride of 3 would discard all spatial information.
/// The dense layer reads its input in the order [H, W, C].
/// </remarks>
public sealed class SmallCnn : Module
{
    private const int Filters = 200, Margin = 2;

    private readonly Layers.Conv2d _conv1, _conv2;
    private readonly Layers.BatchNorm2d _bn1, _bn2, _bn3, _bn4;
    private readonly Layers.Linear _dense1, _dense2, _classes;

    /// <summary>A network for images of the given size.</summary>
    /// <exception cref="ArgumentException">The image is too small for the crop and two pools.</exception>
    public SmallCnn(int height, int width, int channels, int classes)
    {
        if (height < 2 * Margin + 4 || width < 2 * Margin + 4)
            throw new ArgumentException($"small-cnn needs images of at least 8x8 pixels, got {height}x{width}.");
        _conv1 = Register("conv1", new Layers.Conv2d(channels, Filters, 5, padding: 2));
        _bn1 = Register("bn1", new Layers.BatchNorm2d(Filters));
        _conv2 = Register("conv2", new Layers.Conv2d(Filters, Filters, 5, padding: 2));
        _bn2 = Register("bn2", new Layers.BatchNorm2d(Filters));
        int features = Pooled(Pooled(height - 2 * Margin)) * Pooled(Pooled(width - 2 * Margin)) * Filters;
        _dense1 = Register("dense1", new Layers.Linear(features, 384));
        _bn3 = Register("bn3", new Layers.BatchNorm2d(384));
        _dense2 = Register("dense2", new Layers.Linear(384, 192));
        _bn4 = Register("bn4", new Layers.BatchNorm2d(192));
        _classes = Register("classes", new Layers.Linear(192, classes));
    }

    /// <summary>[N, H, W, channels] -> logits [N, classes].</summary>
    public override Tensor Apply(Tensor x, Pass pass)
    {
        var y = CenterCrop.Apply(x, Margin);
        y = MaxPool2d.Apply(_bn1.ApplyRelu(_conv1.Apply(y, pass), pass), 3, 3, 2, padding: 1);
        y = MaxPool2d.Apply(_bn2.ApplyRelu(_conv2.Apply(y, pass), pass), 3, 3, 2, padding: 1);
        y = Reshape.Apply(y, Shape.Of(y.Shape[0], y.Shape[1] * y.Shape[2] * y.Shape[3]));
        y = _bn3.ApplyRelu(_dense1.Apply(y, pass), pass);
        y = _bn4.ApplyRelu(_dense2.Apply(y, pass), pass);
        return _classes.Apply(y, pass);
    }

    private static int Pooled(int size) => (size - 1) / 2 + 1;
}
