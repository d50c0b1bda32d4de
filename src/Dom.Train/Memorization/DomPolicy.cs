using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Memorization;

/// <summary>What Distraction Over-Memorization does with samples of small loss.</summary>
public enum DomAction
{
    /// <summary>Nothing: the baseline.</summary>
    Off,

    /// <summary>DOM_RE: takes them out of the loss.</summary>
    Remove,

    /// <summary>DOM_DA: augments them until their loss is no longer small, or for so many tries.</summary>
    Augment,
}

/// <summary>Where the paper and its authors' code differ.</summary>
public enum DomMode
{
    /// <summary>
    /// Algorithm 1. DOM_RE keeps loss &gt; T; DOM_DA augments loss &lt; T, always the original image, accepts loss &gt; T, and leaves a blend where the last
    /// try fails. From the epoch after K on.
    /// </summary>
    Paper,

    /// <summary>
    /// The published code. DOM_RE keeps loss &gt;= T; DOM_DA augments loss &lt;= T, the image as the last try left it, accepts loss &gt;= T, and takes the
    /// last try whether it is accepted or not. From the last step of epoch K on.
    /// </summary>
    Code,
}

/// <summary>What the sum of the kept losses is divided by.</summary>
public enum ReNorm
{
    /// <summary>The full batch, as in the authors' code: removing samples makes the step smaller.</summary>
    Batch,

    /// <summary>The number of kept samples.</summary>
    Kept,
}

/// <summary>Where the threshold T of a step comes from.</summary>
public enum ThresholdKind
{
    /// <summary>It is a number: tables 1 and 5 of the paper.</summary>
    Fixed,

    /// <summary>
    /// A factor of the batch's mean natural loss. The paper's appendix G has an adaptive threshold of "40 %" and names AdaMatch, whose threshold is relative
    /// to a batch mean; that the mean of the losses is meant is inferred.
    /// </summary>
    Mean,

    /// <summary>The natural loss that a share of the batch lies below: the other reading of "40 %", inferred too.</summary>
    Quantile,
}

/// <summary>
/// Distraction Over-Memorization (Lin et al., ICLR 2024): after K epochs, samples whose natural loss is below T are removed from training, or augmented.
/// </summary>
/// <param name="Action">Off, remove or augment.</param>
/// <param name="Threshold">T, in nats, 0 or more: 0.2 in natural training, 1.5 with PGD, 2.0 with RS-FGSM on CIFAR-10. Not looked at where the kind is another.</param>
/// <param name="Warmup">K, in epochs.</param>
/// <param name="Mode">The paper's or the code's comparison, start, and way to augment.</param>
/// <param name="ReNorm">What the kept losses are divided by.</param>
public sealed record DomPolicy(DomAction Action, float Threshold, int Warmup, DomMode Mode = DomMode.Paper, ReNorm ReNorm = ReNorm.Batch)
{
    /// <summary>Where T comes from.</summary>
    public ThresholdKind ThresholdKind { get; init; }

    /// <summary>The factor of the mean, or the share of the quantile.</summary>
    public double ThresholdFactor { get; init; } = 0.4;

    /// <summary>Which of the confident samples DOM_RE removes.</summary>
    public RemoveSet RemoveSet { get; init; }

    /// <summary>beta of DOM_DA: the share of the augmented image in what an image becomes after a try that fails, 0..1.</summary>
    public float Strength { get; init; } = 0.5f;

    /// <summary>gamma of DOM_DA: the most images that are drawn for a sample in a step, 0 or more.</summary>
    public int Tries { get; init; } = 3;

    /// <summary>Whether DOM acts in step <paramref name="step"/> of <paramref name="steps"/> of epoch <paramref name="epoch"/>, all from 0.</summary>
    public bool IsActive(int epoch, int step, int steps) =>
        Action != DomAction.Off && (Mode == DomMode.Paper ? epoch >= Warmup : epoch + (step + 1.0) / steps >= Warmup);

    /// <summary>Which loss is large enough: of a sample that DOM_RE keeps, of an augmented image that DOM_DA accepts.</summary>
    public LossComparison Comparison => Mode == DomMode.Paper ? LossComparison.KeepAbove : LossComparison.KeepAtOrAbove;

    /// <summary>
    /// Which samples are left alone. In DOM_DA a loss of exactly T is left alone by the paper (it augments those below) and augmented by the code: the other
    /// way round than in DOM_RE.
    /// </summary>
    public LossComparison LeavesAlone => (Action == DomAction.Augment) == (Mode == DomMode.Paper) ? LossComparison.KeepAtOrAbove : LossComparison.KeepAbove;

    /// <summary>The mask of the samples that are left alone, by a threshold that follows the batch.</summary>
    /// <param name="losses">Natural losses [N].</param>
    /// <returns>The mask [N] and T [1].</returns>
    internal (Tensor Keep, Tensor Threshold) Decide(Tensor losses) => ThresholdKind == ThresholdKind.Quantile
        ? AdaptiveThreshold.OfQuantile(losses, ThresholdFactor, LeavesAlone)
        : AdaptiveThreshold.OfMean(losses, ThresholdFactor, LeavesAlone);
}
