namespace Dom.Train.Reproduction;

/// <summary>The six methods that the DOM paper compares, in the order of its tables.</summary>
public enum PaperMethod
{
    /// <summary>Plain training with crop and flip.</summary>
    Baseline,

    /// <summary>DOM_RE: samples of small loss are removed.</summary>
    Remove,

    /// <summary>AugMix on every image in every epoch.</summary>
    AugMix,

    /// <summary>DOM_DA(A): samples of small loss are augmented with AugMix.</summary>
    AugmentAugMix,

    /// <summary>RandAugment on every image in every epoch.</summary>
    RandAugment,

    /// <summary>DOM_DA(R): samples of small loss are augmented with RandAugment.</summary>
    AugmentRandAugment,
}

/// <summary>What trains the network.</summary>
public enum PaperParadigm
{
    /// <summary>Clean images.</summary>
    Natural,

    /// <summary>PGD-10: multi-step adversarial training.</summary>
    Pgd,

    /// <summary>RS-FGSM: single-step adversarial training.</summary>
    Fgsm,
}

/// <summary>What methods and paradigms are called.</summary>
public static class PaperNames
{
    /// <summary>The method in the name of a preset: "augment-augmix".</summary>
    public static string NameOf(PaperMethod method) => method switch
    {
        PaperMethod.Baseline => "baseline",
        PaperMethod.Remove => "remove",
        PaperMethod.AugMix => "augmix",
        PaperMethod.AugmentAugMix => "augment-augmix",
        PaperMethod.RandAugment => "randaugment",
        _ => "augment-randaugment",
    };

    /// <summary>The method as the paper's tables call it: "DOM_DA(A)".</summary>
    public static string LabelOf(PaperMethod method) => method switch
    {
        PaperMethod.Baseline => "Baseline",
        PaperMethod.Remove => "DOM_RE",
        PaperMethod.AugMix => "AugMix",
        PaperMethod.AugmentAugMix => "DOM_DA(A)",
        PaperMethod.RandAugment => "RandAugment",
        _ => "DOM_DA(R)",
    };

    /// <summary>The paradigm in the name of a preset.</summary>
    public static string NameOf(PaperParadigm paradigm) => paradigm switch
    {
        PaperParadigm.Natural => "natural",
        PaperParadigm.Pgd => "pgd",
        _ => "fgsm",
    };

    /// <summary>The paradigm for people.</summary>
    public static string LabelOf(PaperParadigm paradigm) => paradigm switch
    {
        PaperParadigm.Natural => "natural training",
        PaperParadigm.Pgd => "PGD-10 adversarial training",
        _ => "RS-FGSM adversarial training",
    };
}
