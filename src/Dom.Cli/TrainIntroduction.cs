using System.Globalization;
using Dom.Train.Augmentations;
using Dom.Train.Memorization;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>What a run says before it starts: its resolved options, in a few lines, and its folder.</summary>
internal static class TrainIntroduction
{
    /// <summary>Prints it.</summary>
    /// <param name="screen">Where.</param>
    /// <param name="run">The run.</param>
    /// <param name="remark">What is to be said of its device, or null.</param>
    public static void Print(Screen screen, TrainingRun run, string? remark)
    {
        var options = run.Description.Options;
        var culture = CultureInfo.InvariantCulture;
        string augmentation = (options.CropPadding, options.Flip) switch
        {
            (0, false) => "no crop, no flip",
            (0, true) => "flip",
            var (padding, flip) => $"crop after padding by {padding}{(flip ? ", flip" : "")}",
        };
        string distraction = options.Dom == DomAction.Augment
            ? string.Create(culture, $" with {OptionTexts.NameOf(options.EffectiveDomAugmentation)}, strength {options.EffectiveDomStrength}, {options.EffectiveDomTries} {(options.EffectiveDomTries == 1 ? "try" : "tries")}, {DrawOf(options)}")
            : "";
        if (options.Augment != AugmentationKind.None)
            augmentation += $", {OptionTexts.NameOf(options.Augment)} on every image, {DrawOf(options)}";
        if (options.RemoveSet != RemoveSet.All)
            distraction = $" of {OptionTexts.NameOf(options.RemoveSet)} high confidence";
        string dom = string.Create(culture, $"threshold {OptionTexts.OfAdaptiveThreshold(options) ?? $"{options.EffectiveThreshold.ToString(culture)}"}, warm-up {options.EffectiveWarmup} {(options.EffectiveWarmup == 1 ? "epoch" : "epochs")}");
        string evaluation = options.EvaluationAttack.Kind == Train.Attacks.AttackKind.None ? "" : $"; tested with {options.EvaluationAttack}";
        string device = run.Description.Device == "cpu"
            ? $"cpu, {run.Description.Threads} threads, convolutions {run.Description.Convolution ?? "direct"}"
            : run.Description.Device;
        screen.List(
            ("data", RunReportBuilder.Describe(run.Data)),
            ("model", string.Create(culture, $"{options.Model}, {run.Trainer.Network.ParameterCount:N0} parameters")),
            ("training", string.Create(culture,
                $"{options.Epochs} epochs of {run.Trainer.Steps} steps, batch {options.Batch}, lr {options.LearningRate} {OptionTexts.NameOf(options.Schedule)}, momentum {options.Momentum}, weight decay {options.WeightDecay}, {augmentation}, seed {options.Seed}")),
            ("attack", options.Attack == Train.Attacks.AttackKind.None ? "none (natural training)" : $"{options.TrainAttack}{AroundAttack(options)}{evaluation}"),
            ("dom", options.Dom == DomAction.Off ? $"off ({dom})" : $"{OptionTexts.NameOf(options.Dom)}{distraction}, {dom}, mode {OptionTexts.NameOf(options.DomMode)}"),
            ("device", $"{device}, {OptionTexts.NameOf(options.Precision)}{(remark is null ? "" : $" ({remark})")}"),
            ("folder", run.Folder.Path));
        if (run.Trainer.State is { Epoch: > 0 } or { Step: > 0 })
            screen.Writer.WriteLine($"Going on in epoch {Math.Min(run.Trainer.State.Epoch + 1, options.Epochs)}, after step {run.Trainer.State.Step}.");
    }
    private static string DrawOf(TrainOptions options) => options.AugmentationDraw == AugmentationDraw.Batch ? "one draw for all images of a call" : "a draw for each image";

    /// <summary>What the training attack does besides: its step size rises, its images are one side of TRADES.</summary>
    private static string AroundAttack(TrainOptions options) => string.Create(CultureInfo.InvariantCulture,
        $"{(options.StepSizeRamp > 0 ? $", step rising over {options.StepSizeRamp} epochs" : "")}{(options.Loss == LossKind.Trades ? $", loss TRADES with beta {options.EffectiveTradesBeta}" : "")}");
}
