namespace Dom.Train.Memorization;

/// <summary>How a sample came to its confidence at some epoch.</summary>
public enum ConfidenceKind
{
    /// <summary>Its loss is not below the threshold now (or is NaN).</summary>
    None = 0,

    /// <summary>Its loss is below the threshold now and was so at the end of the warm-up.</summary>
    Original = 1,

    /// <summary>Its loss is below the threshold now and was not at the end of the warm-up: over-memorized.</summary>
    Transformed = 2,
}

/// <summary>Over-memorization as DOM (ICLR 2024) defines it, over rows of the ledger.</summary>
/// <remarks>
/// Sample i is over-memorized at epoch e behind the warm-up iff loss_i(e) is below T and loss_i at the end of the warm-up
/// was T or more. Epochs are rows of the ledger, from 0: a warm-up of K epochs ends with row K - 1.
/// </remarks>
public static class OverMemorization
{
    /// <summary>For each sample the first epoch at which it is over-memorized, or -1.</summary>
    /// <param name="losses">One row [samples] an epoch, in nats.</param>
    /// <param name="warmupRow">The last row of the warm-up.</param>
    /// <param name="threshold">T, in nats.</param>
    /// <exception cref="ArgumentException">There is no such row, or rows have different lengths.</exception>
    public static int[] FirstEpoch(IReadOnlyList<float[]> losses, int warmupRow, float threshold)
    {
        LedgerRows.Check(losses);
        if (warmupRow < 0 || warmupRow >= losses.Count)
            throw new ArgumentException($"over-memorization: the warm-up ends with row {warmupRow}, the ledger has {losses.Count} rows.", nameof(warmupRow));
        var first = new int[losses[warmupRow].Length];
        Array.Fill(first, -1);
        for (int epoch = warmupRow + 1; epoch < losses.Count; epoch++)
        {
            for (int i = 0; i < first.Length; i++)
            {
                if (first[i] < 0 && KindOf(losses[warmupRow][i], losses[epoch][i], threshold) == ConfidenceKind.Transformed)
                    first[i] = epoch;
            }
        }
        return first;
    }

    /// <summary>Sorts the samples of one epoch into not confident, original and transformed.</summary>
    /// <param name="lossAtWarmup">Losses at the end of the warm-up, by sample id.</param>
    /// <param name="lossNow">Losses at the epoch in question.</param>
    /// <param name="threshold">T, in nats.</param>
    /// <exception cref="ArgumentException">The two have different lengths.</exception>
    public static ConfidenceKind[] Categorize(ReadOnlySpan<float> lossAtWarmup, ReadOnlySpan<float> lossNow, float threshold)
    {
        if (lossAtWarmup.Length != lossNow.Length)
            throw new ArgumentException($"over-memorization: {lossAtWarmup.Length} losses at the warm-up but {lossNow.Length} now.", nameof(lossNow));
        var kinds = new ConfidenceKind[lossNow.Length];
        for (int i = 0; i < kinds.Length; i++)
            kinds[i] = KindOf(lossAtWarmup[i], lossNow[i], threshold);
        return kinds;
    }

    // A NaN at the warm-up says nothing about where the sample came from: neither comparison holds.
    private static ConfidenceKind KindOf(float lossAtWarmup, float lossNow, float threshold) =>
        !(lossNow < threshold) ? ConfidenceKind.None
        : lossAtWarmup < threshold ? ConfidenceKind.Original
        : lossAtWarmup >= threshold ? ConfidenceKind.Transformed
        : ConfidenceKind.None;
}
