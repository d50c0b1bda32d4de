using Dom.Train.Memorization;

namespace Dom.Train.Analysis;

/// <summary>The mean loss of a group of samples.</summary>
/// <param name="Samples">Samples in the group.</param>
/// <param name="MeanLoss">Mean of the losses that are numbers, in nats; NaN where there is none.</param>
public readonly record struct GroupMean(int Samples, double MeanLoss)
{
    /// <summary>The mean over the samples that <paramref name="belongs"/> says are in the group.</summary>
    public static GroupMean Of(ReadOnlySpan<float> losses, Func<int, bool> belongs)
    {
        ArgumentNullException.ThrowIfNull(belongs);
        int samples = 0, numbers = 0;
        double sum = 0;
        for (int i = 0; i < losses.Length; i++)
        {
            if (!belongs(i))
                continue;
            samples++;
            if (float.IsNaN(losses[i]))
                continue;
            numbers++;
            sum += losses[i];
        }
        return new GroupMean(samples, sum / numbers);
    }
}

/// <summary>What has become of a group of samples since the epoch in which it was chosen.</summary>
/// <param name="Samples">Samples in the group.</param>
/// <param name="MeanChange">
/// The persistence index: mean of loss now minus loss then, in nats, over the samples that have both; NaN where none has. Near 0 in a group that is no
/// longer trained on: it is remembered all the same.
/// </param>
/// <param name="StillConfident">Share of the group whose loss is still below T, 0..1; NaN in an empty group.</param>
public readonly record struct GroupChange(int Samples, double MeanChange, double StillConfident)
{
    /// <summary>Compares two rows of the ledger over the samples that <paramref name="belongs"/> says are in the group.</summary>
    /// <param name="then">Losses in the epoch in which the group was chosen.</param>
    /// <param name="now">Losses at the epoch in question.</param>
    /// <param name="threshold">T, in nats.</param>
    /// <param name="belongs">Whether a sample is in the group.</param>
    /// <exception cref="ArgumentException">The rows have different lengths.</exception>
    public static GroupChange Of(ReadOnlySpan<float> then, ReadOnlySpan<float> now, float threshold, Func<int, bool> belongs)
    {
        ArgumentNullException.ThrowIfNull(belongs);
        if (then.Length != now.Length)
            throw new ArgumentException($"group change: {then.Length} losses then but {now.Length} now.", nameof(now));
        int samples = 0, numbers = 0, confident = 0;
        double sum = 0;
        for (int i = 0; i < now.Length; i++)
        {
            if (!belongs(i))
                continue;
            samples++;
            confident += now[i] < threshold ? 1 : 0;
            double change = (double)now[i] - then[i];
            if (double.IsNaN(change))
                continue;
            numbers++;
            sum += change;
        }
        return new GroupChange(samples, sum / numbers, (double)confident / samples);
    }
}

/// <summary>How many samples of a kind of label are not confident, original and transformed.</summary>
/// <param name="None">Loss not below T now.</param>
/// <param name="Original">Below T now and in epoch K.</param>
/// <param name="Transformed">Below T now and not in epoch K.</param>
public readonly record struct KindCounts(int None, int Original, int Transformed)
{
    /// <summary>All of them.</summary>
    public int Total => None + Original + Transformed;

    /// <summary>Counts the samples that <paramref name="counts"/> names; all where it is null.</summary>
    public static KindCounts Of(ReadOnlySpan<ConfidenceKind> kinds, Func<int, bool>? counts = null)
    {
        var found = new int[3];
        for (int i = 0; i < kinds.Length; i++)
        {
            if (counts is null || counts(i))
                found[(int)kinds[i]]++;
        }
        return new KindCounts(found[(int)ConfidenceKind.None], found[(int)ConfidenceKind.Original], found[(int)ConfidenceKind.Transformed]);
    }
}
