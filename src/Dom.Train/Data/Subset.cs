using Dom.Tensors;

namespace Dom.Train.Data;

/// <summary>Takes a part of a split.</summary>
public static class Subset
{
    // Subsets draw from the stream of orders, at an epoch that no run reaches.
    private const int SubsetEpoch = (1 << 24) - 1;

    /// <summary>
    /// <paramref name="count"/> samples, as evenly over the classes as there are samples of each, random within a class,
    /// in their original order. The same seed takes the same samples.
    /// </summary>
    /// <exception cref="DataException">The split holds fewer samples, or count is below 1.</exception>
    public static ImageSplit TakeEvenly(ImageSplit split, int classes, int count, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(split);
        if (count < 1 || count > split.Count)
            throw new DataException($"Cannot take {count:N0} samples: there are {split.Count:N0}, "
                + $"so 1 to {split.Count:N0} can be taken.");
        var rowsOfClass = new List<int>[classes];
        for (int label = 0; label < classes; label++)
            rowsOfClass[label] = [];
        for (int row = 0; row < split.Count; row++)
            rowsOfClass[split.Labels[row]].Add(row);

        var taken = new List<int>(count);
        var quota = Quotas(Array.ConvertAll(rowsOfClass, rows => rows.Count), count);
        for (int label = 0; label < classes; label++)
        {
            var order = RandomStream.For(seed, RandomPurpose.Order, SubsetEpoch, label).Permutation(rowsOfClass[label].Count);
            for (int i = 0; i < quota[label]; i++)
                taken.Add(rowsOfClass[label][order[i]]);
        }
        taken.Sort();
        return split.Select(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(taken));
    }

    /// <summary>Hands out <paramref name="count"/> places in rounds, one to every class that still has a sample,
    /// lowest label first.</summary>
    private static int[] Quotas(int[] available, int count)
    {
        var quota = new int[available.Length];
        while (count > 0)
        {
            for (int label = 0; label < quota.Length && count > 0; label++)
            {
                if (quota[label] == available[label])
                    continue;
                quota[label]++;
                count--;
            }
        }
        return quota;
    }
}
