using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Augmentations;

/// <summary>
/// RandAugment (Cubuk et al. 2020) with torchvision's defaults, as the DOM authors use it: two of 14 operations, drawn with replacement, all with magnitude 9 of 0..30, nearest
/// sampling, black outside; the magnitude of geometry and blends gets a minus half of the time.
/// </summary>
public sealed class RandAugment : IImageAugmentation
{
    private const int Operations = 14;

    private readonly int _count, _magnitude;

    /// <summary>The given number of operations with the given magnitude.</summary>
    /// <param name="operations">Operations for each image, 1..16.</param>
    /// <param name="magnitude">Bin of the magnitude, 0..30.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public RandAugment(int operations = 2, int magnitude = 9)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(operations, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(operations, 16);
        ArgumentOutOfRangeException.ThrowIfNegative(magnitude);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(magnitude, Magnitudes.RandAugment.Bins);
        (_count, _magnitude) = (operations, magnitude);
    }

    /// <inheritdoc/>
    public string Name => "RandAugment";

    /// <inheritdoc/>
    public Tensor Apply(Tensor pixels, ReadOnlySpan<int> sampleIds, RandomStream stream, int attempt, AugmentationDraw draw)
    {
        AugmentationArguments.Check(Name, pixels, sampleIds, attempt);
        return ImageOperations.Apply(pixels, Draw(pixels.Shape, sampleIds, stream, attempt, draw), ImageSampling.Nearest);
    }

    /// <summary>The operations of each image, [N, operations].</summary>
    internal ImageStep[] Draw(Shape images, ReadOnlySpan<int> sampleIds, RandomStream stream, int attempt, AugmentationDraw draw)
    {
        var steps = new ImageStep[sampleIds.Length * _count];
        var shared = RandomNumbers.OfBatch(stream, attempt);
        for (int n = 0; n < sampleIds.Length; n++)
            if (n > 0 && draw == AugmentationDraw.Batch)
                steps.AsSpan(0, _count).CopyTo(steps.AsSpan(n * _count));
            else
                DrawChain(draw == AugmentationDraw.Batch ? shared : RandomNumbers.OfSample(stream, sampleIds[n], attempt), steps.AsSpan(n * _count, _count), images);
        return steps;
    }

    private void DrawChain(RandomNumbers numbers, Span<ImageStep> chain, Shape images)
    {
        foreach (ref var step in chain)
        {
            var operation = (ImageOperation)numbers.Below(Operations);
            bool isNegative = numbers.Below(2) == 1;
            step = Magnitudes.RandAugment.Step(operation, _magnitude, isNegative, images[1], images[2]);
        }
    }
}
