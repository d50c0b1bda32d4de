using Dom.Train.Memorization;

namespace Dom.Train.Analysis;

/// <summary>What an analysis measures with.</summary>
public sealed record AnalysisSettings
{
    /// <summary>The loss at which figure 4 of DOM (ICLR 2024) divides the samples, in nats: a label's probability of 22 %.</summary>
    public const float PaperSplit = 1.5f;

    /// <summary>T, in nats: a natural loss below it is high confidence.</summary>
    public required float Threshold { get; init; }

    /// <summary>K, in epochs: the losses of epoch K are those of the auxiliary model. Without meaning below 1.</summary>
    public required int Warmup { get; init; }

    /// <summary>Ranges of the natural and of the adversarial loss.</summary>
    public required LossRanges Ranges { get; init; }

    /// <summary>The natural loss, in nats, that divides the samples whose adversarial losses are compared.</summary>
    public float Split { get; init; } = PaperSplit;

    /// <summary>Groups of the rank overlap; fewer where there are fewer samples.</summary>
    public int Groups { get; init; } = RankOverlap.PaperGroups;
}
