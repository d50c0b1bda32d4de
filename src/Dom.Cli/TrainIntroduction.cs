using System.Globalization;
using Dom.Train.Memorization;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>What a run says before it starts: its resolved options, in a few lines, and its folder.</summary>
internal static class TrainIntroduction
{
    public static void Print(Screen screen, TrainingRun run)
    {
        var options = run.Description.Options;
        var culture = CultureInfo.InvariantCulture;
        string augmentation = (options.CropPadding, options.Flip) switch
        {
            (0, false) => "no crop, no flip",
            (0, true) => "flip",
            var (padding, flip) => $"crop after padding by {padding}{(flip ? ", flip" : "")}",
        };
        string dom = string.Create(culture, $"threshold {options.EffectiveThreshold}, warm-up {options.EffectiveWarmup} {(options.EffectiveWarmup == 1 ? "epoch" : "epochs")}");
        string evaluation = options.EvaluationAttack.Kind == Train.Attacks.AttackKind.None ? "" : $"; tested with {options.EvaluationAttack}";
        string device = run.Description.Device == "cpu"
            ? $"cpu, {run.Description.Threads} threads, convolutions {run.Description.Convolution ?? "direct"}"
            : run.Description.Device;
        screen.List(
            ("data", RunReportBuilder.Describe(run.Data)),
            ("model", string.Create(culture, $"{options.Model}, {run.Trainer.Network.ParameterCount:N0} parameters")),
            ("training", string.Create(culture,
                $"{options.Epochs} epochs of {run.Trainer.Steps} steps, batch {options.Batch}, lr {options.LearningRate} {OptionTexts.NameOf(options.Schedule)}, momentum {options.Momentum}, weight decay {options.WeightDecay}, {augmentation}, seed {options.Seed}")),
            ("attack", options.Attack == Train.Attacks.AttackKind.None ? "none (natural training)" : $"{options.TrainAttack}{evaluation}"),
            ("dom", options.Dom == DomAction.Off ? $"off ({dom})" : $"{OptionTexts.NameOf(options.Dom)}, {dom}, mode {OptionTexts.NameOf(options.DomMode)}"),
            ("device", $"{device}, {OptionTexts.NameOf(options.Precision)}"),
            ("folder", run.Folder.Path));
        if (run.Trainer.State is { Epoch: > 0 } or { Step: > 0 })
            screen.Writer.WriteLine($"Going on in epoch {Math.Min(run.Trainer.State.Epoch + 1, options.Epochs)}, after step {run.Trainer.State.Step}.");
    }
}
