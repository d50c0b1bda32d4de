using Dom.Train.Analysis;

namespace Dom.Train.Training;

/// <summary>The figures of one epoch: a line of <c>metrics.jsonl</c>.</summary>
public sealed record EpochMetrics
{
    /// <summary>The epoch, counted from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Learning rate of the last step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Mean loss, in nats, of the images that were trained on, at the moment they were trained on: the cross-entropy, or with TRADES its whole loss.</summary>
    public required double TrainLoss { get; init; }

    /// <summary>Share of right predictions on clean training images, as they were visited, 0..1.</summary>
    public required double TrainAccuracy { get; init; }

    /// <summary>The same on the attacked training images; absent in natural training.</summary>
    public double? TrainRobustAccuracy { get; init; }

    /// <summary>Mean loss on the clean test images.</summary>
    public required double TestLoss { get; init; }

    /// <summary>Share of right predictions on the clean test images.</summary>
    public required double TestAccuracy { get; init; }

    /// <summary>Share of right predictions on the attacked test images; absent in natural training.</summary>
    public double? TestRobustAccuracy { get; init; }

    /// <summary>The attack behind <see cref="TestRobustAccuracy"/>, "PGD-20".</summary>
    public string? RobustAttack { get; init; }

    /// <summary>Share of training samples whose natural loss was below the threshold T.</summary>
    public required double HighConfidence { get; init; }

    /// <summary>Share of sample visits that DOM took out of the loss.</summary>
    public required double Removed { get; init; }

    /// <summary>Share of sample visits whose image DOM_DA augmented, because its natural loss was small; absent unless it augments.</summary>
    public double? Augmented { get; init; }

    /// <summary>Share of sample visits of which an augmented image had a loss that is large enough: of <see cref="Augmented"/>, those where DOM_DA succeeded.</summary>
    public double? Accepted { get; init; }

    /// <summary>Augmented images that DOM_DA drew for each visit that it augmented; absent where there was none.</summary>
    public double? Tries { get; init; }

    /// <summary>Share of right predictions (of the given label) among samples with right labels; absent without label noise.</summary>
    public double? RightLabelAccuracy { get; init; }

    /// <summary>Share of samples with wrong labels whose wrong label is predicted: memorized; absent without label noise.</summary>
    public double? WrongLabelAccuracy { get; init; }

    /// <summary>How catastrophic overfitting was noticed in this epoch, for the first time in the run; absent otherwise.</summary>
    public CollapseSign? Collapse { get; init; }

    /// <summary>Training images a second, evaluation left out. Not part of what is reproducible.</summary>
    public required double ImagesPerSecond { get; init; }
}
