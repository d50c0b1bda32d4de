namespace Dom.Train;

/// <summary>Finds what a person probably meant by a misspelled name.</summary>
public static class NearestName
{
    /// <summary>
    /// The name with the fewest edits (insert, delete, replace, swap of neighbors; case does not count) from what was asked, the first
    /// of several; null where even that one differs in more than a third of its characters (two in a short name).
    /// </summary>
    public static string? Of(string asked, IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(asked);
        ArgumentNullException.ThrowIfNull(names);
        string? best = null;
        int bestDistance = int.MaxValue;
        foreach (string name in names)
        {
            int distance = Distance(asked.ToUpperInvariant(), name.ToUpperInvariant());
            if (distance < bestDistance && distance <= Math.Max(2, name.Length / 3) && distance < name.Length)
                (best, bestDistance) = (name, distance);
        }
        return best;
    }

    /// <summary>"; did you mean 'x'?" for the end of a message, or nothing.</summary>
    public static string Hint(string asked, IEnumerable<string> names) =>
        Of(asked, names) is { } name ? $"; did you mean '{name}'?" : ".";

    /// <summary>Optimal string alignment: Levenshtein's distance with swaps of two neighbors as one edit.</summary>
    internal static int Distance(string a, string b)
    {
        var cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }
                int replace = cost[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replace, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }
        }
        return cost[a.Length, b.Length];
    }
}
