using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Augmentations;

/// <summary>
/// AugMix (Hendrycks et al. 2020) with torchvision's defaults, as the DOM authors use it: an image mixed with three chains of one to three of 13 operations each, bilinear sampling, black outside.
/// </summary>
/// <remarks>
/// Each operation has a magnitude of its own, uniform over the first <c>severity</c> of 10 bins (bin 0 does nothing in geometry and blends), and geometry and blends a minus half of the time.
/// y = trunc((1 - m) x + m (w_1 chain_1 + w_2 chain_2 + w_3 chain_3)) in bytes, m uniform in [0, 1), that is Beta(1, 1), and w uniform over the simplex, Dirichlet(1, 1, 1): an image's own in both kinds
/// of draw. This is not the AugMix of its own authors, which draws 9 operations of continuous magnitudes and adds a loss of consistency.
/// </remarks>
public sealed class AugMix : IImageAugmentation
{
    /// <summary>Chains that are mixed, and operations of the longest one.</summary>
    internal const int Width = 3, Depth = 3;

    private readonly int _severity;

    /// <summary>Magnitudes from the given number of bins.</summary>
    /// <param name="severity">Bins of the magnitude, 1..10: the larger the stronger.</param>
    /// <exception cref="ArgumentOutOfRangeException">The severity is outside its range.</exception>
    public AugMix(int severity = 3)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(severity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(severity, Magnitudes.AugMix.Bins);
        _severity = severity;
    }

    /// <inheritdoc/>
    public string Name => "AugMix";

    /// <inheritdoc/>
    public Tensor Apply(Tensor pixels, ReadOnlySpan<int> sampleIds, RandomStream stream, int attempt, AugmentationDraw draw)
    {
        AugmentationArguments.Check(Name, pixels, sampleIds, attempt);
        var (steps, weights) = Draw(pixels.Shape, sampleIds, stream, attempt, draw);
        using var scope = new TensorScope();
        var chains = ImageOperations.Apply(pixels, steps, ImageSampling.Bilinear, Width); // [3 N, H, W, C]
        return scope.Keep(ImageOperations.Mix(pixels, chains, weights));
    }

    /// <summary>The operations, [N, 3, 3] with Identity where a chain is over, and the weights of the image and its chains, [N, 4].</summary>
    internal (ImageStep[] Steps, float[] Weights) Draw(Shape images, ReadOnlySpan<int> sampleIds, RandomStream stream, int attempt, AugmentationDraw draw)
    {
        const int PerImage = Width * Depth;
        var steps = new ImageStep[sampleIds.Length * PerImage];
        var weights = new float[sampleIds.Length * (Width + 1)];
        var shared = RandomNumbers.OfBatch(stream, attempt);
        for (int n = 0; n < sampleIds.Length; n++)
        {
            var numbers = RandomNumbers.OfSample(stream, sampleIds[n], attempt);
            DrawWeights(ref numbers, weights.AsSpan(n * (Width + 1), Width + 1));
            if (draw == AugmentationDraw.Sample)
                DrawChains(ref numbers, steps.AsSpan(n * PerImage, PerImage), images);
            else if (n == 0)
                DrawChains(ref shared, steps.AsSpan(0, PerImage), images);
            else
                steps.AsSpan(0, PerImage).CopyTo(steps.AsSpan(n * PerImage));
        }
        return (steps, weights);
    }

    // The gaps that two uniform numbers leave in [0, 1] are uniform over the simplex. All differences are exact: the numbers are multiples of 2^-24.
    private static void DrawWeights(ref RandomNumbers numbers, Span<float> weights)
    {
        float augmented = numbers.Uniform(), one = numbers.Uniform(), other = numbers.Uniform();
        float first = MathF.Min(one, other), second = MathF.Max(one, other);
        weights[0] = 1 - augmented;
        weights[1] = first * augmented;
        weights[2] = (second - first) * augmented;
        weights[3] = (1 - second) * augmented;
    }

    private void DrawChains(ref RandomNumbers numbers, Span<ImageStep> chains, Shape images)
    {
        for (int chain = 0; chain < Width; chain++)
        {
            int depth = 1 + numbers.Below(Depth);
            for (int step = 0; step < depth; step++)
            {
                var operation = ImageOperation.ShearX + numbers.Below(13); // all but Identity
                int bin = numbers.Below(_severity);
                bool isNegative = numbers.Below(2) == 1;
                chains[chain * Depth + step] = Magnitudes.AugMix.Step(operation, bin, isNegative, images[1], images[2]);
            }
        }
    }
}
