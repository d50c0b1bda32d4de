namespace Dom.Tensors.Ops;

/// <summary>
/// A change of one image as RandAugment and AugMix make it, on pixels of 8 bits: the operations of torchvision on uint8 tensors, pixel for pixel. In the remarks x is a pixel 0..255, m the magnitude.
/// </summary>
/// <remarks>
/// Geometry: what lies outside the image is black. i and j are a pixel's row and column, u = j + 1/2 - W/2 and v = i + 1/2 - H/2 its place from the centre; a formula says where the
/// picture at (u, v) comes from. Blend(x, z) = trunc(clamp(r x + (1 - r) z, 0, 255)) with r = 1 + m: 0 gives z, 1 the image, more exaggerates.
/// </remarks>
public enum ImageOperation
{
    /// <summary>The image as it is.</summary>
    Identity = 0,

    /// <summary>From (u + m (v + H/2), v): rows shift in proportion to their distance from the upper edge.</summary>
    ShearX = 1,

    /// <summary>From (u, v + m (u + W/2)): columns shift in proportion to their distance from the left edge.</summary>
    ShearY = 2,

    /// <summary>From (u - trunc(m), v): m whole pixels to the right.</summary>
    TranslateX = 3,

    /// <summary>From (u, v - trunc(m)): m whole pixels down.</summary>
    TranslateY = 4,

    /// <summary>From (u cos m - v sin m, u sin m + v cos m): m degrees about the centre, counterclockwise.</summary>
    Rotate = 5,

    /// <summary>Blend with black.</summary>
    Brightness = 6,

    /// <summary>Blend with gray = trunc(0.2989 R + 0.587 G + 0.114 B); an image of one channel stays.</summary>
    Color = 7,

    /// <summary>Blend with the mean gray of the image, which is not rounded.</summary>
    Contrast = 8,

    /// <summary>Blend with a smoothed image: the mean over 3x3 pixels, the central one counted five times, rounded; pixels of the border are blended with themselves. Images of less than 3 rows or columns stay.</summary>
    Sharpness = 9,

    /// <summary>The upper trunc(m) of the 8 bits stay, the others become 0.</summary>
    Posterize = 10,

    /// <summary>255 - x where x >= m.</summary>
    Solarize = 11,

    /// <summary>Channel by channel trunc((x - min) 255 / (max - min)); a channel of one value stays.</summary>
    AutoContrast = 12,

    /// <summary>
    /// Channel by channel, with h the histogram and s = floor(sum of h but for the largest value that occurs / 255): x becomes min(255, floor((h[0] + .. + h[x - 1] + floor(s / 2)) / s)), 0 becomes 0; a
    /// channel with s = 0 stays.
    /// </summary>
    Equalize = 13,
}

/// <summary>How a pixel between pixels is read.</summary>
public enum ImageSampling
{
    /// <summary>The nearest pixel; half way, the even coordinate. RandAugment's.</summary>
    Nearest = 0,

    /// <summary>The four pixels around, weighted, those outside black; the result rounded to the nearest integer, ties to even. AugMix's.</summary>
    Bilinear = 1,
}

/// <summary>An operation with its magnitude.</summary>
/// <param name="Operation">What is done.</param>
/// <param name="Magnitude">How much: a slope, pixels, degrees, r - 1, bits or a threshold; not looked at where the operation has none.</param>
public readonly record struct ImageStep(ImageOperation Operation, float Magnitude = 0)
{
    /// <summary>The image as it is.</summary>
    public static ImageStep Identity => default;
}
