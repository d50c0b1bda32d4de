using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>
/// Reads the images of a batch out of the data set, pads them by reflection, crops them back to their size at a random place, flips half of
/// them left to right, and turns bytes into numbers: y = pixel / 255, rounded to nearest.
/// </summary>
/// <remarks>
/// Images u8 [samples, Height, Width, Channels]; SampleIds i32 [Rows]; Y [Rows, Height, Width, Channels]. Row n draws from its own stream,
/// Stream.ForSample(SampleIds[n]): number 0 below 2 Padding + 1 is the top of the crop in the padded image, number 1 its left edge, number 2
/// below 2 flips the crop where it is 1 and Flip = 1. So the picture depends on the sample and not on its place in the batch.
/// Reflection does not repeat the edge: pixel -1 is pixel 1, pixel Height is pixel Height - 2, as in PyTorch; so Padding &lt; Height and Width.
/// </remarks>
public readonly record struct CropFlip(
    View Images, View SampleIds, View Y, RandomStream Stream, int Rows, int Height, int Width, int Channels, int Padding, int Flip) : IKernelCall;

/// <summary>Random crops and flips of byte images: the augmentation of CIFAR training.</summary>
public static class RandomCropFlip
{
    /// <summary>A batch of augmented images [N, H, W, C] in 0..1, f32 unless asked otherwise; not recorded on a tape.</summary>
    /// <param name="images">The data set, u8 [samples, H, W, C].</param>
    /// <param name="sampleIds">Rows of the data set, i32 [N]; not checked here.</param>
    /// <param name="stream">The stream of the epoch; each sample has its own part of it.</param>
    /// <param name="padding">Pixels added on each side before the crop; 0 leaves the images in place.</param>
    /// <param name="flip">Whether half of the images are flipped.</param>
    /// <param name="type">Type of the result.</param>
    /// <exception cref="ShapeException">The images are no byte images, the ids no integers, or the padding is not below height and width.</exception>
    public static Tensor Apply(Tensor images, Tensor sampleIds, RandomStream stream, int padding = 4, bool flip = true, DType type = DType.F32)
    {
        if (images.Shape.Rank != 4 || images.Type != DType.U8)
            throw new ShapeException($"crop and flip: the images must be u8 [samples, H, W, C], got {images}.");
        if (sampleIds.Shape.Rank != 1 || sampleIds.Type != DType.I32)
            throw new ShapeException($"crop and flip: the sample ids must be i32 [N], got {sampleIds}.");
        int height = images.Shape[1], width = images.Shape[2], channels = images.Shape[3];
        if (padding < 0 || (padding > 0 && padding >= Math.Min(height, width)))
            throw new ShapeException(
                $"crop and flip: a padding of {padding} does not fit images of {height} x {width}; reflection needs 0 .. {Math.Max(0, Math.Min(height, width) - 1)}.");
        var y = Tensor.Empty(Shape.Of(sampleIds.Count, height, width, channels), type, images.Backend, "crop and flip");
        images.Backend.Run(new CropFlip(
            images.Read, sampleIds.Read, y.Write, stream, sampleIds.Count, height, width, channels, padding, flip ? 1 : 0));
        return y;
    }

    /// <summary>A batch of images as they are, [N, H, W, C] in 0..1: for evaluation.</summary>
    /// <inheritdoc cref="Apply" path="/exception"/>
    public static Tensor Plain(Tensor images, Tensor sampleIds, DType type = DType.F32) =>
        Apply(images, sampleIds, default, 0, false, type);
}
