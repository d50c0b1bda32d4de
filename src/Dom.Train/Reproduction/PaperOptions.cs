using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;
using Dom.Train.Training;

namespace Dom.Train.Reproduction;

/// <summary>Turns a row of the paper's settings and a method into the options of a run.</summary>
/// <remarks>
/// Common to all (section 4 and appendix C): batch 128, SGD with momentum 0.9 and weight decay 5e-4 on all parameters, reflect-padded crop and flip, epsilon
/// 8/255, tested with PGD-20. Where paper and authors' code differ these take the code's way, for it made the published numbers.
/// </remarks>
internal static class PaperOptions
{
    /// <summary>Whether a method is one of DOM's.</summary>
    public static bool HasDom(PaperMethod method) => method is PaperMethod.Remove or PaperMethod.AugmentAugMix or PaperMethod.AugmentRandAugment;

    /// <summary>What the paper leaves open about a method.</summary>
    public static string? InferredOf(PaperMethod method) => method is PaperMethod.AugMix or PaperMethod.RandAugment
        ? $"{PaperNames.LabelOf(method)} on every image of every epoch{(method == PaperMethod.AugMix ? ", without its Jensen-Shannon loss" : "")}"
        : null;

    /// <summary>The options, for PreActResNet-18.</summary>
    public static TrainOptions Of(PaperSettings settings, PaperMethod method)
    {
        var options = new TrainOptions
        {
            Data = settings.Data,
            Model = "preact-resnet18",
            Epochs = settings.Epochs,
            Batch = 128,
            LearningRate = settings.LearningRate,
            Schedule = settings.Paradigm == PaperParadigm.Fgsm ? ScheduleKind.Triangular : ScheduleKind.Piecewise,
            Momentum = 0.9,
            WeightDecay = 5e-4,
            CropPadding = settings.Data == "tiny-imagenet" ? 8 : 4,
            Flip = true,
            Attack = settings.Paradigm switch { PaperParadigm.Natural => AttackKind.None, PaperParadigm.Pgd => AttackKind.Pgd, _ => AttackKind.RsFgsm },
            Epsilon = 8,
            Steps = 10,
            Threshold = settings.Threshold,
            DomMode = DomMode.Code,
            AugmentationDraw = AugmentationDraw.Batch,
        };
        if (settings.Data == "svhn")
            options = WithRamp(options);
        return WithMethod(options, settings, method);
    }

    /// <summary>The adaptive threshold of appendix G. INFER: 0.4 times the batch's mean loss.</summary>
    public static TrainOptions Adaptive(TrainOptions options) =>
        options with { ThresholdKind = ThresholdKind.Mean, ThresholdFactor = 0.4 };

    // Appendix C: on SVHN the step grows over the first ten epochs of PGD-10, whose step is 1/255, and the first five of RS-FGSM.
    private static TrainOptions WithRamp(TrainOptions options) => options.Attack switch
    {
        AttackKind.Pgd => options with { StepSize = 1, StepSizeRamp = 10 },
        AttackKind.RsFgsm => options with { StepSizeRamp = 5 },
        _ => options,
    };

    private static TrainOptions WithMethod(TrainOptions options, PaperSettings settings, PaperMethod method) => method switch
    {
        PaperMethod.Remove => options with { Dom = DomAction.Remove },
        PaperMethod.AugMix => options with { Augment = AugmentationKind.AugMix },
        PaperMethod.RandAugment => options with { Augment = AugmentationKind.RandAugment },
        PaperMethod.AugmentAugMix => WithAugmentation(options, AugmentationKind.AugMix, settings.AugMix),
        PaperMethod.AugmentRandAugment => WithAugmentation(options, AugmentationKind.RandAugment, settings.RandAugment),
        _ => options,
    };

    private static TrainOptions WithAugmentation(TrainOptions options, AugmentationKind kind, PaperAugmentation settings) => options with
    {
        Dom = DomAction.Augment, DomAugmentation = kind, DomStrength = settings.Strength, DomTries = settings.Tries,
    };
}
