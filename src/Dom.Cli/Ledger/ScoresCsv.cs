using System.Globalization;
using Dom.Train.Memorization;

namespace Dom.Cli.Ledger;

/// <summary>Writes one line a sample: when it was learned and forgotten, how hard it was, when it was over-memorized.</summary>
internal static class ScoresCsv
{
    /// <summary>
    /// Writes <c>sample,given_label,true_label,first_learned_epoch,forgetting_events,mean_loss,mean_margin,first_over_memorized_epoch</c>;
    /// the label columns appear where the ledger has them. Epochs count from 0, as in the ledger; -1 stands for never.
    /// </summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="writer">Gets the text; lines end in a line feed.</param>
    /// <param name="warmup">K: over-memorized is what was not confident at the end of epoch K and is later. 0 or more than the epochs: all -1.</param>
    /// <param name="threshold">T, in nats.</param>
    public static void Write(LedgerStore ledger, TextWriter writer, int warmup, float threshold)
    {
        var correct = ledger.ReadColumn(LedgerColumns.NaturalCorrect);
        var losses = ledger.ReadColumn(LedgerColumns.NaturalLoss);
        var margins = ledger.ReadColumn(LedgerColumns.NaturalMargin);
        string[] labelNames = [.. new[] { LedgerColumns.GivenLabel, LedgerColumns.TrueLabel }.Where(ledger.Has)];
        var labels = labelNames.Select(ledger.ReadStaticInts).ToArray();
        var learned = SampleScores.FirstLearned(correct);
        var forgotten = SampleScores.ForgettingEvents(correct);
        var meanLoss = SampleScores.MeanLoss(losses);
        var meanMargin = SampleScores.AreaUnderMargin(margins);
        int[] overMemorized = CanTellOverMemorization(ledger, warmup)
            ? OverMemorization.FirstEpoch(losses, warmup - 1, threshold)
            : [.. Enumerable.Repeat(-1, ledger.Samples)];

        writer.Write(string.Join(',', ["sample", .. labelNames, "first_learned_epoch", "forgetting_events", "mean_loss", "mean_margin",
            "first_over_memorized_epoch"]) + "\n");
        for (int i = 0; i < learned.Length; i++)
        {
            writer.Write(string.Join(',', [Text(i), .. labels.Select(column => Text(column[i])), Text(learned[i]), Text(forgotten[i]),
                Text(meanLoss[i]), Text(meanMargin[i]), Text(overMemorized[i])]) + "\n");
        }
    }

    /// <summary>Whether the ledger reaches the end of the warm-up, with which later losses are compared.</summary>
    public static bool CanTellOverMemorization(LedgerStore ledger, int warmup) => warmup >= 1 && warmup <= ledger.Epochs;

    private static string Text<T>(T value) where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
