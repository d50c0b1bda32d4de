namespace Dom.Train.Memorization;

/// <summary>Scores of single samples that come for free with the ledger: one value a sample from one column's rows.</summary>
/// <remarks>Each takes one row [samples] an epoch and throws <see cref="ArgumentException"/> where rows have different lengths.</remarks>
public static class SampleScores
{
    /// <summary>How often a sample went from correct at one epoch to incorrect at the next (Toneva et al. 2019).</summary>
    /// <remarks>A sample that was never learned has 0 events, as an unforgettable one has: see <see cref="FirstLearned"/> to tell them apart.</remarks>
    /// <param name="correct">1 where the prediction is the given label, else 0.</param>
    public static int[] ForgettingEvents(IReadOnlyList<float[]> correct)
    {
        var events = new int[LedgerRows.Check(correct)];
        for (int epoch = 1; epoch < correct.Count; epoch++)
        {
            for (int i = 0; i < events.Length; i++)
            {
                if (correct[epoch - 1][i] > 0 && !(correct[epoch][i] > 0))
                    events[i]++;
            }
        }
        return events;
    }

    /// <summary>The first epoch, from 0, at which a sample was correct; -1 where it never was.</summary>
    /// <param name="correct">1 where the prediction is the given label, else 0.</param>
    public static int[] FirstLearned(IReadOnlyList<float[]> correct)
    {
        var first = new int[LedgerRows.Check(correct)];
        Array.Fill(first, -1);
        for (int epoch = correct.Count - 1; epoch >= 0; epoch--)
        {
            for (int i = 0; i < first.Length; i++)
            {
                if (correct[epoch][i] > 0)
                    first[i] = epoch;
            }
        }
        return first;
    }

    /// <summary>Mean loss over the epochs: the cumulative sample loss (CSL) divided by their number.</summary>
    /// <param name="losses">Losses, in nats.</param>
    public static double[] MeanLoss(IReadOnlyList<float[]> losses) => Mean(losses);

    /// <summary>Area under the margin (Pleiss et al. 2020): the mean over the epochs of the given label's logit minus the largest other one.</summary>
    /// <param name="margins">Margins of the logits.</param>
    public static double[] AreaUnderMargin(IReadOnlyList<float[]> margins) => Mean(margins);

    private static double[] Mean(IReadOnlyList<float[]> rows)
    {
        var mean = new double[LedgerRows.Check(rows)];
        foreach (var row in rows)
        {
            for (int i = 0; i < mean.Length; i++)
                mean[i] += row[i];
        }
        for (int i = 0; i < mean.Length; i++)
            mean[i] /= rows.Count;
        return mean;
    }
}

/// <summary>The precondition of everything that reads several rows.</summary>
internal static class LedgerRows
{
    /// <summary>The number of samples in each row, 0 where there is no row.</summary>
    /// <exception cref="ArgumentException">Rows have different lengths.</exception>
    public static int Check(IReadOnlyList<float[]> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        for (int epoch = 1; epoch < rows.Count; epoch++)
        {
            if (rows[epoch].Length != rows[0].Length)
                throw new ArgumentException($"ledger rows: row {epoch} has {rows[epoch].Length} samples, row 0 has {rows[0].Length}.", nameof(rows));
        }
        return rows.Count == 0 ? 0 : rows[0].Length;
    }
}
