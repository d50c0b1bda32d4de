using Dom.Tensors.Ops;

namespace Dom.Train.Memorization;

/// <summary>What Distraction Over-Memorization does with samples of small loss.</summary>
public enum DomAction
{
    /// <summary>Nothing: the baseline.</summary>
    Off,

    /// <summary>DOM_RE: takes them out of the loss.</summary>
    Remove,
}

/// <summary>Where the paper and its authors' code differ.</summary>
public enum DomMode
{
    /// <summary>Algorithm 1: keep loss &gt; T, from the epoch after K on.</summary>
    Paper,

    /// <summary>The published code: keep loss &gt;= T, from the last step of epoch K on.</summary>
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

/// <summary>Distraction Over-Memorization (Lin et al., ICLR 2024): after K epochs, samples whose natural loss is below T are removed from training.</summary>
/// <param name="Action">Off or remove.</param>
/// <param name="Threshold">T, in nats, 0 or more: 0.2 in natural training, 1.5 with PGD, 2.0 with RS-FGSM on CIFAR-10.</param>
/// <param name="Warmup">K, in epochs.</param>
/// <param name="Mode">The paper's or the code's comparison and start.</param>
/// <param name="ReNorm">What the kept losses are divided by.</param>
public sealed record DomPolicy(DomAction Action, float Threshold, int Warmup, DomMode Mode = DomMode.Paper, ReNorm ReNorm = ReNorm.Batch)
{
    /// <summary>Whether samples are removed in step <paramref name="step"/> of <paramref name="steps"/> of epoch <paramref name="epoch"/>, all from 0.</summary>
    public bool IsActive(int epoch, int step, int steps) =>
        Action != DomAction.Off && (Mode == DomMode.Paper ? epoch >= Warmup : epoch + (step + 1.0) / steps >= Warmup);

    /// <summary>How a loss is compared with the threshold.</summary>
    public LossComparison Comparison => Mode == DomMode.Paper ? LossComparison.KeepAbove : LossComparison.KeepAtOrAbove;
}
