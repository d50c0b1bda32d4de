namespace Dom.Train.Memorization;

/// <summary>One epoch of a group of samples, in figures.</summary>
/// <param name="Samples">Samples in the group.</param>
/// <param name="MeanLoss">Mean of the losses that are numbers, in nats; NaN where there is none.</param>
/// <param name="Accuracy">Share of the samples predicted as their given label, 0..1; NaN in an empty group.</param>
/// <param name="Ranges">Shares by range of the loss.</param>
/// <param name="HighConfidence">Share of the samples with a loss below the threshold, 0..1; NaN in an empty group.</param>
public sealed record GroupSummary(int Samples, double MeanLoss, double Accuracy, LossShares Ranges, double HighConfidence);

/// <summary>One epoch of the ledger, in figures.</summary>
/// <param name="Epoch">The epoch, from 0 as in the ledger.</param>
/// <param name="All">All samples.</param>
/// <param name="RightLabels">The samples whose given label is the true one; null where no label is wrong or none are known.</param>
/// <param name="WrongLabels">The samples whose given label is not the true one; null likewise.</param>
public sealed record EpochSummary(int Epoch, GroupSummary All, GroupSummary? RightLabels, GroupSummary? WrongLabels);

/// <summary>Sums a ledger up, epoch by epoch.</summary>
public static class LedgerSummary
{
    /// <summary>Figures of every epoch, from the natural loss or from the adversarial one.</summary>
    /// <param name="ledger">The ledger; where it has both label columns, right and wrong labels are told apart too.</param>
    /// <param name="ranges">Ranges of the loss.</param>
    /// <param name="threshold">High confidence is a loss below this, in nats.</param>
    /// <param name="adversarial">Whether to use the adversarial columns.</param>
    /// <exception cref="Dom.Nn.StateDictionaries.CheckpointException">A column is absent or cannot be read.</exception>
    public static IReadOnlyList<EpochSummary> Compute(LedgerStore ledger, LossRanges ranges, float threshold, bool adversarial = false)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var wrong = WrongLabels(ledger);
        var right = wrong is null ? null : Array.ConvertAll(wrong, isWrong => !isWrong);
        var summaries = new List<EpochSummary>(ledger.Epochs);
        for (int epoch = 0; epoch < ledger.Epochs; epoch++)
        {
            var losses = ledger.ReadRow(adversarial ? LedgerColumns.AdversarialLoss : LedgerColumns.NaturalLoss, epoch);
            var correct = ledger.ReadRow(adversarial ? LedgerColumns.AdversarialCorrect : LedgerColumns.NaturalCorrect, epoch);
            summaries.Add(new EpochSummary(epoch, Summarize(losses, correct, ranges, threshold),
                right is null ? null : Summarize(losses, correct, ranges, threshold, right),
                wrong is null ? null : Summarize(losses, correct, ranges, threshold, wrong)));
        }
        return summaries;
    }

    /// <summary>Figures of one epoch, of all samples or of those that <paramref name="include"/> names.</summary>
    /// <param name="losses">Losses by sample id, in nats.</param>
    /// <param name="correct">1 where the prediction is the given label, else 0.</param>
    /// <param name="ranges">Ranges of the loss.</param>
    /// <param name="threshold">High confidence is a loss below this, in nats.</param>
    /// <param name="include">True where a sample counts; empty for all.</param>
    /// <exception cref="ArgumentException">The spans have different lengths.</exception>
    public static GroupSummary Summarize(ReadOnlySpan<float> losses, ReadOnlySpan<float> correct, LossRanges ranges, float threshold,
        ReadOnlySpan<bool> include = default)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        if (losses.Length != correct.Length)
            throw new ArgumentException($"ledger summary: {losses.Length} losses but {correct.Length} correctness flags.", nameof(correct));
        var shares = ranges.SharesOf(losses, include);
        int samples = 0, numbers = 0, right = 0, confident = 0;
        double sum = 0;
        for (int i = 0; i < losses.Length; i++)
        {
            if (!include.IsEmpty && !include[i])
                continue;
            samples++;
            right += correct[i] > 0 ? 1 : 0;
            confident += losses[i] < threshold ? 1 : 0;
            if (float.IsNaN(losses[i]))
                continue;
            numbers++;
            sum += losses[i];
        }
        return new GroupSummary(samples, sum / numbers, (double)right / samples, shares, (double)confident / samples);
    }

    /// <summary>True for each sample whose given label is not its true one; null where the ledger does not say or none is wrong.</summary>
    /// <exception cref="Dom.Nn.StateDictionaries.CheckpointException">A label column cannot be read.</exception>
    public static bool[]? WrongLabels(LedgerStore ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        if (!ledger.Has(LedgerColumns.GivenLabel) || !ledger.Has(LedgerColumns.TrueLabel))
            return null;
        var wrong = ledger.ReadStaticInts(LedgerColumns.GivenLabel)
            .Zip(ledger.ReadStaticInts(LedgerColumns.TrueLabel), (given, actual) => given != actual).ToArray();
        return wrong.Contains(true) ? wrong : null;
    }
}
