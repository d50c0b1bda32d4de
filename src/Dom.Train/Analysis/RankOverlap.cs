namespace Dom.Train.Analysis;

/// <summary>How far samples of small natural loss are those of small adversarial loss: the ten-group overlap of DOM (ICLR 2024), figure 3.</summary>
public static class RankOverlap
{
    /// <summary>The paper's number of groups.</summary>
    public const int PaperGroups = 10;

    /// <summary>
    /// Ranks the samples by natural loss and cuts the ranks into equal groups, does the same by adversarial loss, and gives for each group
    /// the share of samples that are in it by both: |natural group and adversarial group| / size of the group.
    /// </summary>
    /// <remarks>
    /// Group 1 holds the smallest losses. The sort is stable: equal losses keep the order of their sample ids; NaN ranks behind all numbers.
    /// Group g of G holds the ranks from floor((g - 1) N / G) up to floor(g N / G), so that N need not be divisible by G. Two rankings that
    /// know nothing of each other overlap by 1/G on average.
    /// </remarks>
    /// <param name="natural">Natural losses by sample id, [N].</param>
    /// <param name="adversarial">Adversarial losses by sample id, [N].</param>
    /// <param name="groups">G, 1..N.</param>
    /// <returns>G shares 0..1, group 1 first.</returns>
    /// <exception cref="ArgumentException">The spans have different lengths, or there are more groups than samples.</exception>
    public static double[] Compute(ReadOnlySpan<float> natural, ReadOnlySpan<float> adversarial, int groups = PaperGroups)
    {
        if (natural.Length != adversarial.Length)
            throw new ArgumentException($"rank overlap: {natural.Length} natural losses but {adversarial.Length} adversarial ones.", nameof(adversarial));
        if (groups < 1 || groups > natural.Length)
            throw new ArgumentException($"rank overlap: {natural.Length} samples cannot be cut into {groups} groups.", nameof(groups));
        int[] first = GroupOf(natural, groups), second = GroupOf(adversarial, groups);
        var shared = new int[groups];
        var sizes = new int[groups];
        for (int i = 0; i < first.Length; i++)
        {
            sizes[first[i]]++;
            if (first[i] == second[i])
                shared[first[i]]++;
        }
        return [.. shared.Zip(sizes, (both, size) => (double)both / size)];
    }

    /// <summary>The sample ids in the order of their losses, ascending; equal ones by id, NaN last.</summary>
    public static int[] StableOrder(ReadOnlySpan<float> losses)
    {
        float[] values = losses.ToArray();
        var order = new int[values.Length];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        // Comparing ids where losses are equal makes an unstable sort stable. NaN is below all numbers to CompareTo.
        Array.Sort(order, (a, b) =>
        {
            int byKind = float.IsNaN(values[a]).CompareTo(float.IsNaN(values[b]));
            int byLoss = byKind != 0 ? byKind : values[a].CompareTo(values[b]);
            return byLoss != 0 ? byLoss : a.CompareTo(b);
        });
        return order;
    }

    private static int[] GroupOf(ReadOnlySpan<float> losses, int groups)
    {
        var order = StableOrder(losses);
        var group = new int[order.Length];
        for (int g = 0; g < groups; g++)
        {
            long from = (long)g * order.Length / groups, to = (g + 1L) * order.Length / groups;
            for (long rank = from; rank < to; rank++)
                group[order[rank]] = g;
        }
        return group;
    }
}
