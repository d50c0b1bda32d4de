using Dom.Tensors.Ops;

namespace Dom.Train.Augmentations;

/// <summary>A step of an operation whose magnitude is one of a number of bins: torchvision's tables, to the bit for its defaults and within one last place in the other bins, which PyTorch computes differently by the width of a processor's vectors.</summary>
/// <param name="Bins">Bins of each range, 31 or 10.</param>
/// <param name="Translation">The largest translation, in pixels, by the size of the image.</param>
/// <param name="MostBits">Bits that Posterize keeps in bin 0; 4 fewer in the last.</param>
internal sealed record Magnitudes(int Bins, Func<int, double> Translation, int MostBits)
{
    /// <summary>RandAugment's.</summary>
    public static Magnitudes RandAugment { get; } = new(31, size => 150.0 / 331.0 * size, 8);

    /// <summary>AugMix's.</summary>
    public static Magnitudes AugMix { get; } = new(10, size => size / 3.0, 4);

    /// <summary>Whether the magnitude of an operation has a sign.</summary>
    public static bool IsSigned(ImageOperation operation) => operation is >= ImageOperation.ShearX and <= ImageOperation.Sharpness;

    /// <summary>Whether an operation has a magnitude.</summary>
    public static bool IsGraded(ImageOperation operation) =>
        operation is not (ImageOperation.Identity or ImageOperation.AutoContrast or ImageOperation.Equalize);

    /// <summary>An operation with the magnitude of a bin, for images of the given size.</summary>
    public ImageStep Step(ImageOperation operation, int bin, bool isNegative, int height, int width)
    {
        float magnitude = operation switch
        {
            ImageOperation.ShearX or ImageOperation.ShearY => Spread(0, 0.3, bin),
            ImageOperation.TranslateX => Spread(0, Translation(width), bin),
            ImageOperation.TranslateY => Spread(0, Translation(height), bin),
            ImageOperation.Rotate => Spread(0, 30, bin),
            ImageOperation.Posterize => MostBits - MathF.Round(bin / ((Bins - 1) / 4f), MidpointRounding.ToEven),
            ImageOperation.Solarize => Spread(255, 0, bin),
            _ => IsGraded(operation) ? Spread(0, 0.9, bin) : 0,
        };
        return new ImageStep(operation, isNegative && IsSigned(operation) ? -magnitude : magnitude);
    }

    /// <summary>Evenly spaced f32 numbers, as torch.linspace makes them: from the nearer end.</summary>
    private float Spread(double first, double last, int bin)
    {
        float step = ((float)last - (float)first) / (Bins - 1), offset = step * (bin < Bins / 2 ? bin : Bins - 1 - bin);
        return bin < Bins / 2 ? (float)first + offset : (float)last - offset;
    }
}
