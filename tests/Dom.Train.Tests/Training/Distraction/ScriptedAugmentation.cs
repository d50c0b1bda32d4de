using Dom.Tensors;
using Dom.Train.Augmentations;

namespace Dom.Train.Tests.Training.Distraction;

/// <summary>An augmentation that does as it is told, and notes what it was asked.</summary>
/// <param name="change">A new value for a pixel, from its value, the id of its image and the attempt.</param>
internal sealed class ScriptedAugmentation(Func<float, int, int, float> change) : IImageAugmentation
{
    /// <summary>The ids and the attempt of each call.</summary>
    public List<(int[] Ids, int Attempt)> Calls { get; } = [];

    /// <summary>The stream of each call.</summary>
    public List<RandomStream> Streams { get; } = [];

    public string Name => "scripted";

    public Tensor Apply(Tensor pixels, ReadOnlySpan<int> sampleIds, RandomStream stream, int attempt, AugmentationDraw draw)
    {
        int[] ids = sampleIds.ToArray();
        Calls.Add((ids, attempt));
        Streams.Add(stream);
        float[] values = pixels.ToFloats();
        int rowLength = values.Length / ids.Length;
        for (int i = 0; i < values.Length; i++)
            values[i] = change(values[i], ids[i / rowLength], attempt);
        return Tensor.From(values, pixels.Shape, pixels.Backend);
    }
}
