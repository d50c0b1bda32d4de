namespace Dom.Nn.Models;

/// <summary>The networks by the names that the command line and checkpoints use.</summary>
public static class ModelCatalog
{
    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["preact-resnet8", "preact-resnet18", "wide-resnet34-10", "wide-resnet16-2", "small-cnn", "mlp"];

    /// <summary>A network of the given name for images of the given size.</summary>
    /// <exception cref="ArgumentException">There is no such name, or the network is not made for images of that size.</exception>
    public static Module Create(string name, int height, int width, int channels, int classes) => name switch
    {
        "preact-resnet8" => PreActResNet.ResNet8(classes, channels),
        "preact-resnet18" => PreActResNet.ResNet18(classes, channels, height, width),
        "wide-resnet34-10" => new WideResNet(34, 10, classes, channels),
        "wide-resnet16-2" => new WideResNet(16, 2, classes, channels),
        "small-cnn" => new SmallCnn(height, width, channels, classes),
        "mlp" => new Mlp(height * width * channels, [512, 512], classes),
        _ => throw new ArgumentException($"There is no model '{name}'. Models: {string.Join(", ", Names)}.", nameof(name)),
    };
}
