using Dom.Train.Attacks;
using Dom.Train.Training;

namespace Dom.Train.Reproduction;

/// <summary>Roughly how long a run takes, from what the paper says of natural training (table 13), so that a person knows before starting.</summary>
/// <remarks>
/// In units of a forward pass of one image: a gradient of the input costs one more, one of all parameters two more. So natural training is 3 an image, an attack
/// step 2, and an epoch of it over 50,000 images of 32x32 with PreActResNet-18 takes 6.27 s on the paper's GPU. Augmentation and AutoAttack are left out.
/// </remarks>
public static class CostEstimate
{
    /// <summary>What the paper measured on an RTX 4090: an epoch of natural training on CIFAR-10 with its test, in seconds.</summary>
    public const double PaperSecondsAnEpoch = 6.27;

    /// <summary>Hours of a run on a device on which natural training takes <paramref name="secondsAnEpoch"/>.</summary>
    public static double Hours(TrainOptions options, int trainImages, int testImages, double secondsAnEpoch = PaperSecondsAnEpoch)
    {
        const double NaturalEpoch = 3.0 * 50_000 + 10_000;
        double training = options.Attack == AttackKind.None ? 3 : 1 + 2 * options.TrainAttack.Steps + 3;
        double testing = 1 + (options.EvaluationAttack.Kind == AttackKind.None ? 0 : 2 * options.EvaluationAttack.Steps + 1);
        double passes = options.Epochs * (training * trainImages + testing * testImages) * ForwardCost(options);
        return passes / NaturalEpoch * secondsAnEpoch / 3600;
    }

    // Multiplications of a forward pass relative to PreActResNet-18 on 32x32: 0.556 and 5.25 thousand million, and four times as many pixels.
    private static double ForwardCost(TrainOptions options) =>
        (options.Model == "wide-resnet34-10" ? 9.4 : 1) * (options.Data == "tiny-imagenet" ? 4 : 1);
}
