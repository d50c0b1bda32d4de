using System.Globalization;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Reports;

/// <summary>Makes the report of a run from what lies in its folder.</summary>
public static class RunReportBuilder
{
    /// <summary>The report of the epochs that are finished; of an interrupted run too.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <param name="data">The data it was trained on, with limits and wrong labels applied.</param>
    /// <exception cref="Dom.Nn.StateDictionaries.CheckpointException">A file of the run is missing or damaged.</exception>
    public static RunReport Build(RunFolder folder, DataSet data)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(data);
        var description = folder.ReadDescription();
        var options = description.Options;
        var ledger = LedgerStore.Open(folder.Ledger);
        // A run that was killed between writing its ledger and its figures has a row more of the one.
        var metrics = folder.ReadMetrics(ledger.Epochs);
        bool isAdversarial = options.Attack != AttackKind.None;
        var ranges = isAdversarial ? LossRanges.Adversarial : LossRanges.Natural;
        var memorized = metrics.Count == 0 ? null : OverMemorizedSamples.Find(ledger, options, metrics.Count);
        return new RunReport
        {
            Title = $"{options.Model} on {data.Name}",
            CommandLine = description.CommandLine,
            Started = description.Started,
            Finished = description.Finished ?? DateTimeOffset.Now,
            DataDescription = Describe(data),
            Note = NoteOn(folder, description, metrics),
            Options = OptionTexts.Of(options),
            Environment = EnvironmentOf(description),
            Epochs = [.. metrics.Select(epoch => Figures(epoch, options))],
            DomMode = OptionTexts.NameOf(options.Dom),
            Warmup = options.EffectiveWarmup,
            Threshold = options.EffectiveThreshold,
            AdaptiveThreshold = OptionTexts.OfAdaptiveThreshold(options),
            NaturalLosses = Shares(ledger, metrics.Count, ranges, options, adversarial: false),
            AdversarialLosses = isAdversarial ? Shares(ledger, metrics.Count, ranges, options, adversarial: true) : null,
            OverMemorizedCount = memorized?.Count,
            OverMemorized = memorized is null ? [] : OverMemorizedSamples.Cards(memorized, ledger, data, metrics.Count),
        };
    }

    /// <summary>A data set in a sentence.</summary>
    public static string Describe(DataSet data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var train = data.Train;
        int wrong = Enumerable.Range(0, train.Count).Count(train.HasWrongLabel);
        string labels = wrong == 0 ? "" : string.Create(CultureInfo.InvariantCulture,
            $"; {wrong:N0} of the training labels ({100.0 * wrong / train.Count:0.#} %) were made wrong on purpose");
        return string.Create(CultureInfo.InvariantCulture,
            $"{data.Name}: {train.Count:N0} training and {data.Test.Count:N0} test images, {train.Height}x{train.Width}, {(train.Channels == 1 ? "gray" : "RGB")}, {data.ClassNames.Count} classes{labels}.");
    }

    private static string? NoteOn(RunFolder folder, RunDescription description, IReadOnlyList<EpochMetrics> metrics)
    {
        int at = metrics.ToList().FindIndex(m => m.Collapse is not null);
        string? collapse = at < 0 ? null : CollapseAlarm.Describe(metrics[at], at == 0 ? null : metrics[at - 1].TestRobustAccuracy);
        string? status = description.Status switch
        {
            "finished" => null,
            "failed" => $"This run failed after {metrics.Count} of {description.Options.Epochs} epochs.",
            "collapsed" => $"This run stopped itself after {metrics.Count} of {description.Options.Epochs} epochs. Go on with: dom train --resume {folder.Path}",
            _ => $"This run was interrupted after {metrics.Count} of {description.Options.Epochs} epochs. Go on with: dom train --resume {folder.Path}",
        };
        return collapse is null ? status : status is null ? collapse : $"{collapse} {status}";
    }

    private static IReadOnlyList<NamedText> EnvironmentOf(RunDescription description) =>
    [
        new("Dom.Native", description.Version),
        new(".NET", description.Runtime),
        new("system", description.System),
        new("device", description.Device == "cpu" ? $"cpu, {description.Threads} thread{(description.Threads == 1 ? "" : "s")}" : description.Device),
        new("data hash", description.DataHash),
    ];

    private static EpochFigures Figures(EpochMetrics epoch, TrainOptions options) =>
        new(epoch.Epoch, epoch.LearningRate, epoch.TrainLoss, epoch.TrainAccuracy, epoch.TestAccuracy)
        {
            Robust = [.. Robust(epoch, options.TrainAttack.ShortName)],
            HighConfidenceShare = epoch.HighConfidence,
            ImagesPerSecond = double.IsFinite(epoch.ImagesPerSecond) ? epoch.ImagesPerSecond : null,
            RemovedShare = options.Dom switch { DomAction.Off => null, DomAction.Augment => epoch.Augmented, _ => epoch.Removed },
            AcceptedShare = epoch.Accepted,
            RightLabelAccuracy = epoch.RightLabelAccuracy,
            WrongLabelAccuracy = epoch.WrongLabelAccuracy,
        };

    // Training and evaluation may use attacks of different strength; where they are the same they are one curve pair.
    private static IEnumerable<RobustAccuracy> Robust(EpochMetrics epoch, string trainAttack)
    {
        if (epoch.TrainRobustAccuracy is { } train)
            yield return new(trainAttack, train, epoch.RobustAttack == trainAttack ? epoch.TestRobustAccuracy : null);
        if (epoch.RobustAttack is { } attack && attack != trainAttack)
            yield return new(attack, null, epoch.TestRobustAccuracy);
    }

    private static LossRangeShares Shares(LedgerStore ledger, int epochs, LossRanges ranges, TrainOptions options, bool adversarial)
    {
        var summaries = LedgerSummary.Compute(ledger, ranges, (float)options.EffectiveThreshold, adversarial).Take(epochs);
        return new LossRangeShares(
            [.. ranges.Edges.Select(edge => Math.Round(edge, 6))], [.. summaries.Select(summary => summary.All.Ranges.Shares)]);
    }
}
