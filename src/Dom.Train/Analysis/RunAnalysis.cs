using Dom.Train.Memorization;

namespace Dom.Train.Analysis;

/// <summary>Something that could not be computed, and why, in a sentence.</summary>
/// <param name="Figure">Which, such as "rank overlap".</param>
/// <param name="Reason">Why, such as "The run trained without an attack: it has no adversarial losses."</param>
public sealed record MissingFigure(string Figure, string Reason);

/// <summary>The adversarial loss of confident samples beside that of the others: DOM, figure 4.</summary>
/// <param name="Confident">Samples whose natural loss is below the split.</param>
/// <param name="Others">All others; those whose natural loss is NaN are in neither group.</param>
public sealed record AdversarialByConfidence(GroupMean Confident, GroupMean Others);

/// <summary>The natural loss of original and transformed high confidence: DOM, figure 2.</summary>
/// <param name="FixedOriginal">Samples that were original in the epoch after K.</param>
/// <param name="FixedTransformed">Samples that were transformed in the epoch after K.</param>
/// <param name="CurrentOriginal">Samples that are original in the epoch in question; null in epoch K, where nothing can be transformed.</param>
/// <param name="CurrentTransformed">Samples that are transformed in the epoch in question; null in epoch K.</param>
public sealed record ConfidenceGroups(GroupMean FixedOriginal, GroupMean FixedTransformed, GroupMean? CurrentOriginal, GroupMean? CurrentTransformed);

/// <summary>What has become of the samples that were confident in the epoch after K.</summary>
/// <param name="All">All of them.</param>
/// <param name="Original">Those that were confident in epoch K too.</param>
/// <param name="Transformed">Those that were not.</param>
public sealed record Persistence(GroupChange All, GroupChange Original, GroupChange Transformed);

/// <summary>Right and wrong labels against kinds of confidence.</summary>
/// <param name="Right">Samples whose given label is the true one.</param>
/// <param name="Wrong">Samples whose given label is not.</param>
public sealed record LabelTable(KindCounts Right, KindCounts Wrong)
{
    /// <summary>Share of the wrongly labelled samples that are transformed, 0..1.</summary>
    public double WrongThatAreTransformed => (double)Wrong.Transformed / Wrong.Total;

    /// <summary>Share of the transformed samples that are wrongly labelled, 0..1; NaN where none is transformed.</summary>
    public double TransformedThatAreWrong => (double)Wrong.Transformed / (Right.Transformed + Wrong.Transformed);

    /// <summary>Share of all samples that are wrongly labelled, 0..1.</summary>
    public double BaseRate => (double)Wrong.Total / (Right.Total + Wrong.Total);
}

/// <summary>One epoch of the analysis.</summary>
public sealed record EpochAnalysis
{
    /// <summary>The epoch, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Shares of the samples by range of the natural loss.</summary>
    public required LossShares Natural { get; init; }

    /// <summary>Mean natural loss, in nats, over the samples that have one.</summary>
    public required double MeanNaturalLoss { get; init; }

    /// <summary>Share of the samples whose natural loss is below T, 0..1.</summary>
    public required double HighConfidence { get; init; }

    /// <summary>Shares by range of the adversarial loss; null where there is none.</summary>
    public LossShares? Adversarial { get; init; }

    /// <summary>Mean adversarial loss, in nats; null where there is none.</summary>
    public double? MeanAdversarialLoss { get; init; }

    /// <summary>Overlap of the natural and the adversarial rank, group 1 (smallest losses) first; null where there is no adversarial loss.</summary>
    public IReadOnlyList<double>? Overlap { get; init; }

    /// <summary>Adversarial loss of confident samples and of the others; null where there is none.</summary>
    public AdversarialByConfidence? ByConfidence { get; init; }

    /// <summary>Samples by kind of confidence; null up to epoch K.</summary>
    public KindCounts? Kinds { get; init; }

    /// <summary>Mean losses of original and transformed samples; null before epoch K and where no epoch follows it.</summary>
    public ConfidenceGroups? Groups { get; init; }

    /// <summary>What has become of the samples that were confident in the epoch after K; null before that epoch.</summary>
    public Persistence? Persistence { get; init; }

    /// <summary>Kinds of confidence by right and wrong labels; null up to epoch K and where no label is known to be wrong.</summary>
    public LabelTable? Labels { get; init; }
}

/// <summary>What a run's ledger says about over-memorization: the figures of DOM (ICLR 2024), section 3, as numbers.</summary>
public sealed record RunAnalysis
{
    /// <summary>What was measured with.</summary>
    public required AnalysisSettings Settings { get; init; }

    /// <summary>Samples of the training set.</summary>
    public required int Samples { get; init; }

    /// <summary>The epochs, at least one.</summary>
    public required IReadOnlyList<EpochAnalysis> Epochs { get; init; }

    /// <summary>Accuracies by epoch.</summary>
    public required IReadOnlyList<AccuracyPoint> Accuracies { get; init; }

    /// <summary>The onsets of overfitting.</summary>
    public required OverfittingOnsets Onsets { get; init; }

    /// <summary>The jump of high confidence around K; null where there are no epochs on both sides.</summary>
    public ConfidenceJump? Jump { get; init; }

    /// <summary>The ledger's column that natural losses were taken from.</summary>
    public required string NaturalColumn { get; init; }

    /// <summary>The ledger's column that adversarial losses were taken from; null where there is none.</summary>
    public string? AdversarialColumn { get; init; }

    /// <summary>What could not be computed.</summary>
    public required IReadOnlyList<MissingFigure> Missing { get; init; }

    /// <summary>Natural losses that are NaN, over all epochs.</summary>
    public long NotANumber { get; init; }

    /// <summary>Whether the losses are those of a pass at the end of every epoch, and not those of training.</summary>
    public bool IsOfEvaluationPass => NaturalColumn != LedgerColumns.NaturalLoss;
}
