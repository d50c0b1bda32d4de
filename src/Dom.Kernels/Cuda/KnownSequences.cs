namespace Dom.Kernels.Cuda;

/// <summary>A sequence of launches that came at least once.</summary>
internal sealed class KnownSequence(LaunchShape[] shapes)
{
    public LaunchShape[] Shapes => shapes;

    /// <summary>What launches it; null as long as it came once, or where there is none.</summary>
    public LaunchGraph? Graph { get; set; }

    /// <summary>Whether there was no memory for a graph of it.</summary>
    public bool IsRefused { get; set; }
}

/// <summary>The sequences of launches that came last; where there are too many, the one that has not come for longest is forgotten and its graph destroyed.</summary>
/// <remarks>
/// A training run has two that matter, the step and the smaller one at the end of an epoch, and in some methods a few more, where the host has to look at numbers in
/// between.
/// </remarks>
internal sealed class KnownSequences : IDisposable
{
    private const int Most = 8;

    private readonly List<KnownSequence> _known = []; // the last that came is the last

    /// <summary>What is known of launches that differ from these in their arguments at most; null where they are new, which they will not be the next time.</summary>
    public KnownSequence? Recall(LaunchSequence launches)
    {
        int at = _known.FindLastIndex(known => launches.Shapes.SequenceEqual(known.Shapes));
        if (at < 0 && _known.Count == Most)
            Forget(_known[0]);
        var found = at < 0 ? new KnownSequence(launches.Shapes.ToArray()) : _known[at];
        _known.Remove(found);
        _known.Add(found);
        return at < 0 ? null : found;
    }

    public void Dispose()
    {
        while (_known.Count > 0)
            Forget(_known[^1]);
    }

    private void Forget(KnownSequence sequence)
    {
        sequence.Graph?.Dispose();
        _known.Remove(sequence);
    }
}
