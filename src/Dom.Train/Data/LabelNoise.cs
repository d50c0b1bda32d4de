using Dom.Tensors;

namespace Dom.Train.Data;

/// <summary>How a wrong label is drawn.</summary>
public enum LabelNoiseKind
{
    /// <summary>Uniform over all classes, so that one in <c>classes</c> of the chosen samples keeps its label (Zhang
    /// et al., Arpit et al. 2017).</summary>
    UniformAll,

    /// <summary>Uniform over the other classes: every chosen sample gets a wrong label.</summary>
    UniformOther,
}

/// <summary>Gives a known share of a split labels that have nothing to do with the picture.</summary>
public static class LabelNoise
{
    /// <summary>
    /// The split with new labels for exactly <c>round(share x N)</c> samples. <see cref="ImageSplit.TrueLabels"/>
    /// keeps the original ones. A larger share of the same seed contains the samples of a smaller one, with the same
    /// new labels.
    /// </summary>
    /// <param name="split">The split to change; it is not modified.</param>
    /// <param name="classes">Number of classes, at least 1, and at least 2 for
    /// <see cref="LabelNoiseKind.UniformOther"/>.</param>
    /// <param name="share">Share of the samples to choose, 0..1.</param>
    /// <param name="seed">Seed of the choice and of the labels.</param>
    /// <param name="kind">Over which classes a new label is drawn.</param>
    /// <exception cref="ArgumentOutOfRangeException">The share is not in 0..1, or there are too few classes.</exception>
    public static ImageSplit Apply(
        ImageSplit split, int classes, double share, ulong seed, LabelNoiseKind kind = LabelNoiseKind.UniformOther)
    {
        ArgumentNullException.ThrowIfNull(split);
        if (!(share >= 0 && share <= 1))
            throw new ArgumentOutOfRangeException(nameof(share), $"label noise: the share of wrong labels is {share}; it must be in 0..1 (0.2 is 20 %).");
        if (classes < 1 || (classes < 2 && kind == LabelNoiseKind.UniformOther && share > 0))
            throw new ArgumentOutOfRangeException(nameof(classes), $"label noise: there is no other label with {classes} class(es); 2 are needed.");
        int chosen = (int)Math.Round(share * split.Count, MidpointRounding.AwayFromZero);
        var order = RandomStream.For(seed, RandomPurpose.LabelNoise).Permutation(split.Count);
        var draws = RandomStream.For(seed, RandomPurpose.LabelNoise, step: 1);
        var labels = (int[])split.Labels.Clone();
        foreach (int row in order.AsSpan(0, chosen))
        {
            labels[row] = kind == LabelNoiseKind.UniformAll
                ? draws.ForSample(row).Below(0, classes)
                : (split.TrueLabels[row] + 1 + draws.ForSample(row).Below(0, classes - 1)) % classes;
        }
        return split with { Labels = labels, TrueLabels = split.TrueLabels };
    }

    /// <summary>Share of the samples whose label is wrong, 0..1: below the share asked for with
    /// <see cref="LabelNoiseKind.UniformAll"/>.</summary>
    public static double EffectiveShare(ImageSplit split)
    {
        ArgumentNullException.ThrowIfNull(split);
        int wrong = 0;
        for (int i = 0; i < split.Count; i++)
            wrong += split.HasWrongLabel(i) ? 1 : 0;
        return split.Count == 0 ? 0 : (double)wrong / split.Count;
    }
}
