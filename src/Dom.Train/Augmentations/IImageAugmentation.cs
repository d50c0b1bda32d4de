using Dom.Tensors;

namespace Dom.Train.Augmentations;

/// <summary>Who shares a draw of operations, magnitudes and signs.</summary>
public enum AugmentationDraw
{
    /// <summary>All images of one call share one draw, as in the DOM authors' code, where torchvision's transforms see a whole batch as one image. Of AugMix the mixing weights are still an image's own.</summary>
    Batch,

    /// <summary>Every image has a draw of its own, which depends on the stream, the sample id and the attempt, and not on the images beside it. An extension: not in the DOM paper's code.</summary>
    Sample,
}

/// <summary>A random change of images as a whole: AugMix or RandAugment.</summary>
public interface IImageAugmentation
{
    /// <summary>"AugMix" or "RandAugment".</summary>
    string Name { get; }

    /// <summary>Augmented images [N, H, W, C], of the 256 values k / 255; a new tensor of the current scope, not recorded on a tape: no gradient flows through bytes.</summary>
    /// <param name="pixels">Images f32 [N, H, W, C] in 0..1 with 1 or 3 channels; they are quantized first, to floor(255.999 x).</param>
    /// <param name="sampleIds">Id of each image, 0 or above; with <see cref="AugmentationDraw.Sample"/> all that an image's draw knows of it.</param>
    /// <param name="stream">Seed, purpose, epoch and step of the draw. Its own sample number is not looked at.</param>
    /// <param name="attempt">Counts the re-draws of one step from 0; another attempt draws other numbers.</param>
    /// <param name="draw">Whether the images share a draw.</param>
    /// <exception cref="ShapeException">The pixels are no f32 images of 1 or 3 channels, or there is not one id for each.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The attempt or an id is negative, or the attempt is too large.</exception>
    Tensor Apply(Tensor pixels, ReadOnlySpan<int> sampleIds, RandomStream stream, int attempt, AugmentationDraw draw);
}
