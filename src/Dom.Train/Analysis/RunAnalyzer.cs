using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Analysis;

/// <summary>Computes the over-memorization analysis of a run from its ledger and figures. Holds a few rows of the ledger at a time.</summary>
/// <remarks>
/// The auxiliary model of the paper, the network frozen at the end of epoch K, is represented by the ledger's row of epoch K. Those losses were recorded
/// as training went by, each before the step that used it, on the augmented view: they belong to networks of all of epoch K, not to its last one. A run
/// that made a pass behind every epoch has the losses that the paper means, and they are taken.
/// </remarks>
public static class RunAnalyzer
{
    /// <summary>Analyzes the first epochs of a ledger.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="metrics">Figures of the run's epochs; empty where there are none, which leaves the accuracies under attack and on test images out.</param>
    /// <param name="settings">T, K, ranges and split.</param>
    /// <param name="epochs">Epochs to look at, 1..those of the ledger; null for all.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no epoch, or not as many as asked for.</exception>
    /// <exception cref="Dom.Nn.StateDictionaries.CheckpointException">A column is absent or cannot be read.</exception>
    public static RunAnalysis Compute(LedgerStore ledger, IReadOnlyList<EpochMetrics> metrics, AnalysisSettings settings, int? epochs = null)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(metrics);
        ArgumentNullException.ThrowIfNull(settings);
        int count = epochs ?? ledger.Epochs;
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(epochs));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, ledger.Epochs, nameof(epochs));
        settings = settings with { Groups = Math.Min(settings.Groups, ledger.Samples) };

        var columns = AnalysisColumns.Of(ledger);
        var passes = Auxiliary(ledger, columns, settings, count);
        var analyzed = new List<EpochAnalysis>(count);
        long notANumber = 0;
        for (int row = 0; row < count; row++)
        {
            var natural = ledger.ReadRow(columns.Natural, row);
            notANumber += natural.Count(float.IsNaN);
            analyzed.Add(Epoch(row + 1, natural, columns.Adversarial is { } name ? ledger.ReadRow(name, row) : null, passes, settings));
        }
        var accuracies = Accuracies(ledger, metrics, count);
        return new RunAnalysis
        {
            Settings = settings,
            Samples = ledger.Samples,
            Epochs = analyzed,
            Accuracies = accuracies,
            Onsets = OverfittingOnsets.Find(accuracies, ledger.Has(LedgerColumns.GivenLabel) ? ledger.ReadStaticInts(LedgerColumns.GivenLabel).Max() + 1 : 0),
            Jump = ConfidenceJump.At([.. analyzed.Select(e => e.HighConfidence)], settings.Warmup),
            NaturalColumn = columns.Natural,
            AdversarialColumn = columns.Adversarial,
            NotANumber = notANumber,
            Missing = [.. MissingFigures.Of(ledger, columns, metrics, settings, count, analyzed)],
        };
    }

    /// <summary>The rows that later ones are compared with; null where K has no epoch, or none behind it.</summary>
    private sealed record Comparison(float[] AtWarmup, float[] Behind, ConfidenceKind[] KindsBehind, bool[]? Wrong);

    private static Comparison? Auxiliary(LedgerStore ledger, AnalysisColumns columns, AnalysisSettings settings, int epochs)
    {
        if (settings.Warmup < 1 || settings.Warmup >= epochs)
            return null;
        var atWarmup = ledger.ReadRow(columns.Natural, settings.Warmup - 1);
        var behind = ledger.ReadRow(columns.Natural, settings.Warmup);
        return new Comparison(atWarmup, behind, OverMemorization.Categorize(atWarmup, behind, settings.Threshold), LedgerSummary.WrongLabels(ledger));
    }

    private static EpochAnalysis Epoch(int epoch, float[] natural, float[]? adversarial, Comparison? comparison, AnalysisSettings settings)
    {
        var result = new EpochAnalysis
        {
            Epoch = epoch,
            Natural = settings.Ranges.SharesOf(natural),
            MeanNaturalLoss = GroupMean.Of(natural, _ => true).MeanLoss,
            HighConfidence = natural.Count(loss => loss < settings.Threshold) / (double)natural.Length,
        };
        if (adversarial is not null)
        {
            result = result with
            {
                Adversarial = settings.Ranges.SharesOf(adversarial),
                MeanAdversarialLoss = GroupMean.Of(adversarial, _ => true).MeanLoss,
                Overlap = RankOverlap.Compute(natural, adversarial, settings.Groups),
                ByConfidence = new AdversarialByConfidence(
                    GroupMean.Of(adversarial, i => natural[i] < settings.Split), GroupMean.Of(adversarial, i => natural[i] >= settings.Split)),
            };
        }
        if (comparison is null || epoch < settings.Warmup)
            return result;
        bool isBehind = epoch > settings.Warmup;
        var then = comparison.KindsBehind;
        var now = OverMemorization.Categorize(comparison.AtWarmup, natural, settings.Threshold);
        result = result with
        {
            Groups = new ConfidenceGroups(
                GroupMean.Of(natural, i => then[i] == ConfidenceKind.Original), GroupMean.Of(natural, i => then[i] == ConfidenceKind.Transformed),
                isBehind ? GroupMean.Of(natural, i => now[i] == ConfidenceKind.Original) : null,
                isBehind ? GroupMean.Of(natural, i => now[i] == ConfidenceKind.Transformed) : null),
        };
        if (!isBehind)
            return result;
        GroupChange Change(Func<int, bool> belongs) => GroupChange.Of(comparison.Behind, natural, settings.Threshold, belongs);
        return result with
        {
            Kinds = KindCounts.Of(now),
            Persistence = new Persistence(
                Change(i => comparison.Behind[i] < settings.Threshold), Change(i => then[i] == ConfidenceKind.Original),
                Change(i => then[i] == ConfidenceKind.Transformed)),
            Labels = comparison.Wrong is { } wrong ? new LabelTable(KindCounts.Of(now, i => !wrong[i]), KindCounts.Of(now, i => wrong[i])) : null,
        };
    }

    // Without figures of the run, the ledger still knows how many training samples were right.
    private static AccuracyPoint[] Accuracies(LedgerStore ledger, IReadOnlyList<EpochMetrics> metrics, int epochs)
    {
        if (metrics.Count > 0)
        {
            return [.. metrics.Take(epochs).Select(m => new AccuracyPoint(
                m.Epoch, Finite(m.TrainAccuracy), Finite(m.TestAccuracy), Finite(m.TrainRobustAccuracy), Finite(m.TestRobustAccuracy)))];
        }
        return [.. Enumerable.Range(0, epochs).Select(row => new AccuracyPoint(
            row + 1, MeanOf(ledger, LedgerColumns.NaturalCorrect, row), null, MeanOf(ledger, LedgerColumns.AdversarialCorrect, row)))];
    }

    private static double? MeanOf(LedgerStore ledger, string column, int row) =>
        ledger.Has(column) ? ledger.ReadRow(column, row).Average(value => (double)value) : null;

    private static double? Finite(double? value) => value is { } number && double.IsFinite(number) ? number : null;
}
