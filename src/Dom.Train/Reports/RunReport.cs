namespace Dom.Train.Reports;

/// <summary>A name and a text: an option and its value, a component and its version.</summary>
/// <param name="Name">Such as "--epochs" or ".NET".</param>
/// <param name="Value">Such as "20" or "10.0.1".</param>
public sealed record NamedText(string Name, string Value);

/// <summary>Everything that the report of a training run shows: plain data, nothing is computed from files.</summary>
/// <remarks>
/// All texts may hold any character: they are escaped when written. Accuracies and shares are fractions 0..1, losses are in nats.
/// </remarks>
public sealed record RunReport
{
    /// <summary>The heading, such as "PreActResNet-18 on cifar10".</summary>
    public required string Title { get; init; }

    /// <summary>The command that repeats the run.</summary>
    public required string CommandLine { get; init; }

    /// <summary>When the run began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended or was interrupted.</summary>
    public required DateTimeOffset Finished { get; init; }

    /// <summary>The data set in a sentence: name, sizes, classes, share of wrong labels.</summary>
    public required string DataDescription { get; init; }

    /// <summary>A sentence shown on top, such as how to resume an interrupted run; null for none.</summary>
    public string? Note { get; init; }

    /// <summary>The resolved options.</summary>
    public IReadOnlyList<NamedText> Options { get; init; } = [];

    /// <summary>Machine, versions, data hash: what a repetition needs to know.</summary>
    public IReadOnlyList<NamedText> Environment { get; init; } = [];

    /// <summary>The finished epochs, in order; may be empty.</summary>
    public IReadOnlyList<EpochFigures> Epochs { get; init; } = [];

    /// <summary>What DOM does: "off", "remove" or "augment".</summary>
    public string DomMode { get; init; } = "off";

    /// <summary>K: epochs before DOM acts; over-memorization is counted from here even where DOM is off.</summary>
    public int Warmup { get; init; }

    /// <summary>T: a natural loss below it, in nats, is high confidence.</summary>
    public double Threshold { get; init; } = 0.2;

    /// <summary>The threshold that DOM goes by where it follows the losses of the batch, in words; null where it is T.</summary>
    public string? AdaptiveThreshold { get; init; }

    /// <summary>Shares of the training samples by natural loss; null where no ledger was kept.</summary>
    public LossRangeShares? NaturalLosses { get; init; }

    /// <summary>Shares of the training samples by adversarial loss; null in natural training.</summary>
    public LossRangeShares? AdversarialLosses { get; init; }

    /// <summary>How many training samples were over-memorized in the end; null where that was not counted.</summary>
    public int? OverMemorizedCount { get; init; }

    /// <summary>Some of the over-memorized samples, the most telling first; may be empty.</summary>
    public IReadOnlyList<SampleCard> OverMemorized { get; init; } = [];

    /// <summary>Further figures of the end of the run, such as the accuracy under an attack that is only tried once.</summary>
    public IReadOnlyList<NamedText> FinalFigures { get; init; } = [];
}

/// <summary>Accuracy under one attack.</summary>
/// <param name="Attack">Its name, such as "pgd-10".</param>
/// <param name="Train">On training samples; null where it was not measured.</param>
/// <param name="Test">On test samples; null where it was not measured.</param>
public sealed record RobustAccuracy(string Attack, double? Train, double? Test);

/// <summary>What was measured in one epoch.</summary>
/// <param name="Epoch">Its number, counted from 1.</param>
/// <param name="LearningRate">At the epoch's end.</param>
/// <param name="TrainLoss">Mean loss of the training samples, in nats.</param>
/// <param name="TrainAccuracy">Share of training samples that get the label they were given.</param>
/// <param name="TestAccuracy">Share of test samples that get their label; NaN where it was not measured.</param>
public sealed record EpochFigures(int Epoch, double LearningRate, double TrainLoss, double TrainAccuracy, double TestAccuracy)
{
    /// <summary>Accuracies under attack; the same attacks need not be there in every epoch.</summary>
    public IReadOnlyList<RobustAccuracy> Robust { get; init; } = [];

    /// <summary>Share of training samples with a natural loss below the threshold T.</summary>
    public double? HighConfidenceShare { get; init; }

    /// <summary>Training images per second.</summary>
    public double? ImagesPerSecond { get; init; }

    /// <summary>Share of training samples that DOM removed from the loss or augmented.</summary>
    public double? RemovedShare { get; init; }

    /// <summary>Share of training samples of which DOM_DA drew an image with a loss that is large enough; null unless it augments.</summary>
    public double? AcceptedShare { get; init; }

    /// <summary>Training accuracy on the samples whose label is right; null where no labels were made wrong.</summary>
    public double? RightLabelAccuracy { get; init; }

    /// <summary>Share of the wrongly labelled samples that get their wrong label; null where no labels were made wrong.</summary>
    public double? WrongLabelAccuracy { get; init; }
}

/// <summary>How the training samples spread over ranges of the loss, epoch by epoch.</summary>
/// <param name="Edges">The m inner edges, ascending, in nats: ranges are [0, e1), [e1, e2), ..., [em, infinity).</param>
/// <param name="Shares">For every epoch of the report the m + 1 shares, smallest losses first, of sum 1.</param>
public sealed record LossRangeShares(IReadOnlyList<double> Edges, IReadOnlyList<IReadOnlyList<double>> Shares);

/// <summary>One over-memorized training sample.</summary>
public sealed record SampleCard
{
    /// <summary>Row in the training set.</summary>
    public required int Id { get; init; }

    /// <summary>[H, W, C] bytes of the picture.</summary>
    public required byte[] Pixels { get; init; }

    /// <summary>Rows of the picture.</summary>
    public required int Height { get; init; }

    /// <summary>Columns of the picture.</summary>
    public required int Width { get; init; }

    /// <summary>1 (gray) or 3 (RGB).</summary>
    public required int Channels { get; init; }

    /// <summary>Name of the label that training saw.</summary>
    public required string Label { get; init; }

    /// <summary>Name of the right label where it is another one, else null.</summary>
    public string? TrueLabel { get; init; }

    /// <summary>Name of the class that the network names in the end.</summary>
    public required string Predicted { get; init; }

    /// <summary>Natural loss in every epoch of the report, in nats; NaN where the sample was not seen.</summary>
    public required IReadOnlyList<double> Losses { get; init; }

    /// <summary>Number of the first epoch after the warm-up with a loss below the threshold.</summary>
    public required int MemorizedAtEpoch { get; init; }
}
