using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Train.Data;

/// <summary>Crop and flip of training images.</summary>
/// <param name="Padding">Pixels of reflection padding on all sides before a random crop of the original size; 0 for no crop.</param>
/// <param name="Flip">Whether half of the images are mirrored horizontally.</param>
public sealed record Augmentation(int Padding, bool Flip)
{
    /// <summary>Images as they are.</summary>
    public static Augmentation None { get; } = new(0, false);
}

/// <summary>A batch on the device. It belongs to the scope in which it was made.</summary>
/// <param name="Pixels">Images [N, H, W, C] in 0..1.</param>
/// <param name="Labels">Labels [N].</param>
/// <param name="SampleIds">Row of each sample in its split [N].</param>
public sealed record Batch(Tensor Pixels, Tensor Labels, Tensor SampleIds)
{
    private int[]? _hostIds;

    /// <summary>Number of samples.</summary>
    public int Count => Labels.Count;

    /// <summary>The ids on the host, for those who draw there; read back from the device where nobody has set them.</summary>
    internal int[] HostIds
    {
        get => _hostIds ??= SampleIds.ToArray<int>();
        init => _hostIds = value;
    }
}

/// <summary>A split whose bytes were copied to the device once; batches are gathered, augmented and converted there.</summary>
public sealed class DeviceSplit : IDisposable
{
    private readonly Tensor _images;
    private readonly ImageSplit _split;

    /// <summary>Copies the images to the device.</summary>
    public DeviceSplit(ImageSplit split, IBackend backend)
    {
        _split = split;
        _images = Tensor.Persistent(Shape.Of(split.Count, split.Height, split.Width, split.Channels), DType.U8, backend, "data set");
        backend.CopyFromHost(split.Pixels, _images.Write);
    }

    /// <summary>Number of samples.</summary>
    public int Count => _split.Count;

    /// <summary>The samples of the given rows, augmented by numbers that depend on the stream and the sample's id only.</summary>
    public Batch Gather(ReadOnlySpan<int> rows, Augmentation augmentation, RandomStream stream)
    {
        var labels = new int[rows.Length];
        for (int i = 0; i < rows.Length; i++)
            labels[i] = _split.Labels[rows[i]];
        var ids = Tensor.From(rows, _images.Backend);
        var pixels = RandomCropFlip.Apply(_images, ids, stream, augmentation.Padding, augmentation.Flip);
        return new Batch(pixels, Tensor.From(labels, _images.Backend), ids) { HostIds = rows.ToArray() };
    }

    /// <inheritdoc/>
    public void Dispose() => _images.Dispose();
}
