using Dom.Tensors;

namespace Dom.Train.Augmentations;

/// <summary>What every augmentation asks of its arguments.</summary>
internal static class AugmentationArguments
{
    public static void Check(string name, Tensor pixels, ReadOnlySpan<int> sampleIds, int attempt)
    {
        if (pixels.Shape.Rank != 4 || pixels.Type != DType.F32 || pixels.Shape[3] is not (1 or 3))
            throw new ShapeException($"{name}: the pixels must be f32 [N, H, W, C] with 1 or 3 channels, got {pixels}.");
        if (sampleIds.Length != pixels.Shape[0])
            throw new ShapeException($"{name}: {pixels.Shape[0]} images came with {sampleIds.Length} sample ids; one id for each image is needed.");
        foreach (int id in sampleIds)
            ArgumentOutOfRangeException.ThrowIfNegative(id, nameof(sampleIds));
        ArgumentOutOfRangeException.ThrowIfNegative(attempt);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(attempt, RandomNumbers.MostAttempts);
    }
}
