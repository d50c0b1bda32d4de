using System.Globalization;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>The final figures of a run, as <c>--json</c> prints them: shares are 0..1, losses in nats.</summary>
internal sealed record TrainFigures
{
    /// <summary>"finished", "interrupted" or "collapsed".</summary>
    public required string Status { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Folder { get; init; }

    public required string Data { get; init; }

    public required string Model { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Epochs done, and how many the run has.</summary>
    public required int Epoch { get; init; }

    public required int Epochs { get; init; }

    public double? TrainLoss { get; init; }

    public double? TrainAccuracy { get; init; }

    public double? TestLoss { get; init; }

    public double? TestAccuracy { get; init; }

    public double? BestTestAccuracy { get; init; }

    public int? BestTestEpoch { get; init; }

    public string? RobustAttack { get; init; }

    public double? TrainRobustAccuracy { get; init; }

    public double? TestRobustAccuracy { get; init; }

    public double? BestTestRobustAccuracy { get; init; }

    public int? BestTestRobustEpoch { get; init; }

    public double? HighConfidence { get; init; }

    public double? Removed { get; init; }

    public double? Augmented { get; init; }

    public double? Accepted { get; init; }

    public double? Tries { get; init; }

    public double? RightLabelAccuracy { get; init; }

    public double? WrongLabelAccuracy { get; init; }

    /// <summary>Training samples that are over-memorized in the end; absent where that could not be counted.</summary>
    public int? OverMemorized { get; init; }

    public double? ImagesPerSecond { get; init; }

    /// <summary>The figures of a run that has stopped.</summary>
    public static TrainFigures Of(RunFolder folder, TrainOptions options, IReadOnlyList<EpochMetrics> metrics, int? overMemorized)
    {
        var figures = new TrainFigures
        {
            Status = metrics.Count == options.Epochs ? "finished" : "interrupted",
            Folder = folder.Path,
            Data = options.Data,
            Model = options.Model,
            Seed = options.Seed,
            Epoch = metrics.Count,
            Epochs = options.Epochs,
            OverMemorized = overMemorized,
        };
        if (metrics.Count == 0)
            return figures;
        var last = metrics[^1];
        var best = metrics.MaxBy(m => m.TestAccuracy)!;
        var bestRobust = metrics.MaxBy(m => m.TestRobustAccuracy)!;
        return figures with
        {
            TrainLoss = Finite(last.TrainLoss),
            TrainAccuracy = last.TrainAccuracy,
            TestLoss = Finite(last.TestLoss),
            TestAccuracy = last.TestAccuracy,
            BestTestAccuracy = best.TestAccuracy,
            BestTestEpoch = best.Epoch,
            RobustAttack = last.RobustAttack,
            TrainRobustAccuracy = last.TrainRobustAccuracy,
            TestRobustAccuracy = last.TestRobustAccuracy,
            BestTestRobustAccuracy = bestRobust.TestRobustAccuracy,
            BestTestRobustEpoch = bestRobust.TestRobustAccuracy is null ? null : bestRobust.Epoch,
            HighConfidence = last.HighConfidence,
            Removed = last.Removed,
            Augmented = last.Augmented,
            Accepted = last.Accepted,
            Tries = last.Tries,
            RightLabelAccuracy = last.RightLabelAccuracy,
            WrongLabelAccuracy = last.WrongLabelAccuracy,
            ImagesPerSecond = Finite(last.ImagesPerSecond),
        };
    }

    /// <summary>The same for people.</summary>
    public void Print(Screen screen)
    {
        if (Epoch == 0)
            return;
        var rows = new List<string[]> { new[] { "test accuracy", Percent(TestAccuracy), Best(BestTestAccuracy, BestTestEpoch) } };
        if (TestRobustAccuracy is not null)
            rows.Add([$"test accuracy under {RobustAttack}", Percent(TestRobustAccuracy), Best(BestTestRobustAccuracy, BestTestRobustEpoch)]);
        rows.Add(["training accuracy", Percent(TrainAccuracy), ""]);
        if (TrainRobustAccuracy is not null)
            rows.Add(["training accuracy under attack", Percent(TrainRobustAccuracy), ""]);
        if (RightLabelAccuracy is not null)
            rows.Add(["right labels learned", Percent(RightLabelAccuracy), ""]);
        if (WrongLabelAccuracy is not null)
            rows.Add(["wrong labels memorized", Percent(WrongLabelAccuracy), ""]);
        rows.Add(["high confidence", Percent(HighConfidence), ""]);
        if (Removed > 0)
            rows.Add(["removed by DOM", Percent(Removed), ""]);
        if (Augmented > 0)
            rows.Add(["augmented by DOM", Percent(Augmented), string.Create(CultureInfo.InvariantCulture, $"{Percent(Accepted)} came above the threshold, {Tries:0.00} tries")]);
        if (OverMemorized is { } count)
            rows.Add(["over-memorized samples", count.ToString("N0", CultureInfo.InvariantCulture), ""]);
        screen.Table([$"after epoch {Epoch}", "", "best"], rows);
    }

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static string Percent(double? share) => share is { } value ? TrainProgress.Percent(value).TrimStart() : "";

    private static string Best(double? share, int? epoch) => share is null ? "" : $"{Percent(share)} in epoch {epoch}";
}
