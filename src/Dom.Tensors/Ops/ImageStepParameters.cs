namespace Dom.Tensors.Ops;

/// <summary>The numbers that kernels need of an operation with its magnitude; made on the host, where there are sines in f64.</summary>
/// <remarks>
/// Six for each step. Geometry: a b c d e f, by which (u, v) comes from (a u + b v + c, d u + e v + f), in units of half the width and half the height. The matrix is computed in f64, in the
/// order of torchvision's operations, and rounded to f32 before the division by those units, as there: last bits decide ties, and ties are frequent. Blends: r and 1 - r. Posterize: the mask
/// of the bits that stay. Solarize: the threshold. Those of other operations are 0.
/// </remarks>
public static class ImageStepParameters
{
    /// <summary>Numbers of a step.</summary>
    public const int Count = 6;

    /// <summary>Writes the numbers of a step on images of the given size over zeros.</summary>
    public static void Write(ImageStep step, int height, int width, Span<float> target)
    {
        switch (step.Operation)
        {
            case >= ImageOperation.ShearX and <= ImageOperation.Rotate:
                var (a, b, c, d, e, f) = Matrix(step.Operation, step.Magnitude, 0.5 * width, 0.5 * height);
                float halfWidth = 0.5f * width, halfHeight = 0.5f * height;
                (target[0], target[1], target[2]) = ((float)a / halfWidth, (float)b / halfWidth, (float)c / halfWidth);
                (target[3], target[4], target[5]) = ((float)d / halfHeight, (float)e / halfHeight, (float)f / halfHeight);
                break;
            case >= ImageOperation.Brightness and <= ImageOperation.Sharpness:
                double ratio = 1.0 + step.Magnitude;
                (target[0], target[1]) = ((float)ratio, (float)(1 - ratio));
                break;
            case ImageOperation.Posterize:
                target[0] = 256 - (1 << (8 - (int)step.Magnitude));
                break;
            case ImageOperation.Solarize:
                target[0] = step.Magnitude;
                break;
        }
    }

    private static (double A, double B, double C, double D, double E, double F) Matrix(
        ImageOperation operation, double magnitude, double halfWidth, double halfHeight)
    {
        switch (operation)
        {
            case ImageOperation.ShearX:
                double across = Math.Tan(ThroughDegrees(Math.Atan(magnitude)));
                return (1, across, halfWidth + across * halfHeight - halfWidth, 0, 1, 0);
            case ImageOperation.ShearY:
                double angle = ThroughDegrees(Math.Atan(magnitude)), down = Math.Sin(angle) / Math.Cos(angle);
                return (1, 0, 0, down, 1, down * halfWidth + halfHeight - halfHeight);
            case ImageOperation.TranslateX:
                return (1, 0, -Math.Truncate(magnitude), 0, 1, 0);
            case ImageOperation.TranslateY:
                return (1, 0, 0, 0, 1, -Math.Truncate(magnitude));
            default:
                double radians = magnitude * (Math.PI / 180), sine = Math.Sin(radians), cosine = Math.Cos(radians);
                return (cosine, -sine, 0, sine, cosine, 0);
        }
    }

    /// <summary>Shears are given to torchvision as angles.</summary>
    private static double ThroughDegrees(double radians) => radians * (180 / Math.PI) * (Math.PI / 180);
}
