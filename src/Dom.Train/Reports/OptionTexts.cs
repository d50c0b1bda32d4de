using System.Globalization;
using System.Text.Json;
using Dom.Nn;
using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Reports;

/// <summary>The options of a run as a person types and reads them.</summary>
public static class OptionTexts
{
    /// <summary>Every option that has a meaning in this run, by the name that the command line gives it.</summary>
    public static IReadOnlyList<NamedText> Of(TrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var texts = new List<NamedText>
        {
            new("--data", options.Data),
            new("--model", options.Model),
            new("--precision", NameOf(options.Precision)),
            new("--epochs", Text(options.Epochs)),
            new("--batch", Text(options.Batch)),
            new("--lr", Text(options.LearningRate)),
            new("--schedule", NameOf(options.Schedule)),
            new("--momentum", Text(options.Momentum)),
            new("--weight-decay", Text(options.WeightDecay)),
            new("--seed", options.Seed.ToString(CultureInfo.InvariantCulture)),
            new("--crop-padding", Text(options.CropPadding)),
            new("flip", options.Flip ? "yes" : "no"),
            new("--augment", NameOf(options.Augment)),
            new("--label-noise", Text(options.LabelNoise)),
            new("--limit-train", options.LimitTrain is { } train ? Text(train) : "all"),
            new("--limit-test", options.LimitTest is { } test ? Text(test) : "all"),
            new("--attack", NameOf(options.Attack)),
        };
        if (options.Attack != AttackKind.None)
        {
            texts.Add(new("--norm", NameOf(options.Norm)));
            texts.Add(new("--epsilon", Text(options.Epsilon) + "/255"));
            texts.Add(new("--step-size", Text(Math.Round(options.TrainAttack.StepSize * 255, 4)) + "/255"));
            if (options.Attack == AttackKind.NFgsm)
                texts.Add(new("--noise-magnitude", Text(options.TrainAttack.NoiseMagnitude)));
            texts.Add(new("--steps", Text(options.TrainAttack.Steps)));
            if (options.StepSizeRamp > 0)
                texts.Add(new("--step-size-ramp", Text(options.StepSizeRamp)));
            texts.Add(new("--loss", NameOf(options.Loss)));
            if (options.Loss == LossKind.Trades)
                texts.Add(new("--trades-beta", Text(options.EffectiveTradesBeta)));
            texts.Add(new("--eval-steps", Text(options.EvaluationSteps)));
            texts.Add(new("--on-collapse", NameOf(options.EffectiveOnCollapse)));
        }
        if (options.Attack != AttackKind.None || options.Dom == DomAction.Augment)
            texts.Add(new("--bn-attack", NameOf(options.EffectiveBatchNormInAttack)));
        texts.Add(new("--dom", NameOf(options.Dom)));
        texts.Add(new("--threshold", Text(options.EffectiveThreshold)));
        texts.Add(new("--warmup", Text(options.EffectiveWarmup)));
        if (options.Dom != DomAction.Off)
        {
            texts.Add(new("--threshold-kind", NameOf(options.ThresholdKind)));
            if (options.ThresholdKind != ThresholdKind.Fixed)
                texts.Add(new("--threshold-factor", Text(options.EffectiveThresholdFactor)));
            texts.Add(new("--dom-mode", NameOf(options.DomMode)));
            texts.Add(new("--re-norm", NameOf(options.ReNorm)));
        }
        if (options.Dom == DomAction.Remove)
            texts.Add(new("--remove-set", NameOf(options.RemoveSet)));
        if (options.Dom == DomAction.Augment)
        {
            texts.Add(new("--dom-augmentation", NameOf(options.EffectiveDomAugmentation)));
            texts.Add(new("--dom-strength", Text(options.EffectiveDomStrength)));
            texts.Add(new("--dom-tries", Text(options.EffectiveDomTries)));
        }
        if (options.Dom == DomAction.Augment || options.Augment != AugmentationKind.None)
            texts.Add(new("--aug-draw", NameOf(options.AugmentationDraw)));
        if (options.LedgerPass != LedgerPassKind.Off)
            texts.Add(new("--ledger-pass", NameOf(options.LedgerPass)));
        return texts;
    }

    /// <summary>"0.4 x the batch's mean loss", "the 0.4 quantile of the batch's losses"; null where DOM is off or goes by a fixed threshold.</summary>
    public static string? OfAdaptiveThreshold(TrainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        string factor = Text(options.EffectiveThresholdFactor);
        return (options.Dom, options.ThresholdKind) switch
        {
            (DomAction.Off, _) or (_, ThresholdKind.Fixed) => null,
            (_, ThresholdKind.Mean) => $"{factor} x the batch's mean loss",
            _ => $"the {factor} quantile of the batch's losses",
        };
    }

    /// <summary>What the command line calls a value: "rs-fgsm", "linf", "frozen-stats".</summary>
    public static string NameOf<T>(T value) where T : struct, Enum => value switch
    {
        BatchNormMode.UpdateStatistics => "train",
        BatchNormMode.RunningStatistics => "eval",
        BatchNormMode.BatchStatisticsOnly => "frozen-stats",
        AugmentationKind.AugMix => "augmix",
        AugmentationKind.RandAugment => "randaugment",
        LossKind.CrossEntropy => "ce",
        _ => JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()),
    };

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
}
