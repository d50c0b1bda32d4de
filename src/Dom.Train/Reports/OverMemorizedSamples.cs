using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Reports;

/// <summary>Chooses which over-memorized samples of a run a report shows.</summary>
internal static class OverMemorizedSamples
{
    private const int MostCards = 24;

    /// <summary>A sample and the row of the ledger at which it was first over-memorized.</summary>
    public readonly record struct Sample(int Id, int FirstRow);

    /// <summary>
    /// The samples that are over-memorized at the end, by id; null where that cannot be told: without a warm-up there is nothing to compare
    /// with, and behind it at least one epoch is needed.
    /// </summary>
    public static IReadOnlyList<Sample>? Find(LedgerStore ledger, TrainOptions options, int epochs)
    {
        int warmupRow = options.EffectiveWarmup - 1;
        if (warmupRow < 0 || warmupRow >= epochs - 1)
            return null;
        var losses = Enumerable.Range(0, epochs).Select(epoch => ledger.ReadRow(LedgerColumns.NaturalLoss, epoch)).ToArray();
        float threshold = (float)options.EffectiveThreshold;
        var first = OverMemorization.FirstEpoch(losses, warmupRow, threshold);
        var kinds = OverMemorization.Categorize(losses[warmupRow], losses[^1], threshold);
        return [.. Enumerable.Range(0, first.Length).Where(id => kinds[id] == ConfidenceKind.Transformed).Select(id => new Sample(id, first[id]))];
    }

    /// <summary>Cards of the most telling ones: wrong labels first, then those that were memorized first.</summary>
    public static IReadOnlyList<SampleCard> Cards(IReadOnlyList<Sample> samples, LedgerStore ledger, DataSet data, int epochs)
    {
        var train = data.Train;
        var chosen = samples.OrderByDescending(s => train.HasWrongLabel(s.Id)).ThenBy(s => s.FirstRow).ThenBy(s => s.Id).Take(MostCards).ToArray();
        if (chosen.Length == 0)
            return [];
        var losses = Enumerable.Range(0, epochs).Select(epoch => ledger.ReadRow(LedgerColumns.NaturalLoss, epoch)).ToArray();
        var predictions = ledger.ReadRow(LedgerColumns.NaturalPrediction, epochs - 1);
        return [.. chosen.Select(sample => new SampleCard
        {
            Id = sample.Id,
            Pixels = train.Image(sample.Id).ToArray(),
            Height = train.Height,
            Width = train.Width,
            Channels = train.Channels,
            Label = data.ClassNames[train.Labels[sample.Id]],
            TrueLabel = train.HasWrongLabel(sample.Id) ? data.ClassNames[train.TrueLabels[sample.Id]] : null,
            Predicted = data.ClassNames[(int)predictions[sample.Id]],
            Losses = [.. losses.Select(row => (double)row[sample.Id])],
            MemorizedAtEpoch = sample.FirstRow + 1,
        })];
    }
}
