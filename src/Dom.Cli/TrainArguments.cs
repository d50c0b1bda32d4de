using System.CommandLine;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;
using Dom.Train.Training;

namespace Dom.Cli;

/// <summary>The options of <c>dom train</c> and how they become <see cref="TrainOptions"/>.</summary>
internal sealed class TrainArguments
{
    private readonly Option<string?> _data = Given.Option("--data", "NAME|PATH",
        $"A data set ({string.Join(", ", DataSets.Names)}) or a folder of one: CIFAR, IDX or SVHN files, .npy pairs, images. Default: the preset's, or embedded.");

    private readonly Option<string?> _dataDirectory = SharedOptions.DataDirectory();
    private readonly Option<string?> _model = Given.Option("--model", "NAME", $"The network: {string.Join(", ", ModelCatalog.Names)}.");
    private readonly Option<string?> _precision = SharedOptions.Precision("Written into run.json, and the same when the run is resumed. Default: f32.");
    private readonly Option<string?> _epochs = Given.Option("--epochs", "N", "Passes over the training images.");
    private readonly Option<string?> _batch = Given.Option("--batch", "N", "Images in a step.");
    private readonly Option<string?> _rate = Given.Option("--lr", "RATE", "Peak learning rate.");

    private readonly Option<string?> _schedule = Given.Option("--schedule", "constant|piecewise|triangular|cosine",
        "How the learning rate goes: piecewise divides it by 10 after a half and after three quarters of the epochs, triangular rises to it at the half.");

    private readonly Option<string?> _momentum = Given.Option("--momentum", "M", "Momentum of SGD, 0 or more and below 1.");
    private readonly Option<string?> _weightDecay = Given.Option("--weight-decay", "W", "Weight decay on all parameters.");
    private readonly Option<string?> _seed = Given.Option("--seed", "N", "Seed of everything random. The same seed gives the same bits. Default: 0.");
    private readonly Option<string?> _cropPadding = Given.Option("--crop-padding", "N", "Pixels of reflection padding before a random crop; 0 for no crop.");
    private readonly Option<bool> _noFlip = Given.Switch("--no-flip", "Do not mirror images at random.");

    private readonly Option<string?> _attack = Given.Option("--attack", "none|fgsm|rs-fgsm|n-fgsm|pgd",
        "Attack that makes the training images; pgd-10 is pgd with 10 steps. none is natural training.");

    private readonly Option<string?> _epsilon = Given.Option("--epsilon", "E", "Radius of the attack in 1/255 of the pixel range, 0 to 255. Default: 8.");

    private readonly Option<string?> _stepSize = Given.Option("--step-size", "S",
        "Step of the attack in 1/255. Default: epsilon for fgsm and n-fgsm, 1.25 epsilon for rs-fgsm, 2 for pgd.");

    private readonly Option<string?> _noiseMagnitude = SharedOptions.NoiseMagnitude();

    private readonly Option<string?> _steps = Given.Option("--steps", "N", "Steps of pgd in training. Default: 10.");

    private readonly Option<string?> _evaluationSteps = Given.Option("--eval-steps", "N",
        "Steps of the pgd that tests robustness after each epoch of adversarial training; 0 for none. Default: 20.");

    private readonly Option<string?> _norm = Given.Option("--norm", "linf|l2", "What the radius limits: the change of each pixel, or its Euclidean norm.");

    private readonly Option<string?> _batchNorm = Given.Option("--bn-attack", "train|eval|frozen-stats",
        "Batch norm while an attack is made: batch statistics that are learned from (as the DOM authors do), running statistics, or batch statistics that leave no trace. Default: train.");

    private readonly Option<string?> _dom = Given.Option("--dom", "off|remove|augment",
        "Distraction Over-Memorization: remove takes images out of the loss once theirs is below the threshold (DOM_RE). Default: off.");

    private readonly Option<string?> _threshold = Given.Option("--threshold", "T",
        "A natural loss below it, in nats, is high confidence. Default: the paper's for CIFAR-10: 0.2 natural, 1.5 pgd, 2.0 fgsm and rs-fgsm; n-fgsm, which is not in the paper, has 2.0 too.");

    private readonly Option<string?> _warmup = Given.Option("--warmup", "K", "Epochs before DOM acts. Default: half of the epochs.");
    private readonly Option<string?> _domMode = Given.Option("--dom-mode", "paper|code", "Where the paper and its authors' code differ. Default: paper.");

    private readonly Option<string?> _reNorm = Given.Option("--re-norm", "batch|kept",
        "What the kept losses are divided by: the full batch (as the authors do) or their number. Default: batch.");

    private readonly Option<string?> _labelNoise = Given.Option("--label-noise", "SHARE",
        "Share of training labels that are made wrong, 0 to 1. Default: 0.2 for the embedded set, else 0.");

    private readonly Option<string?> _limitTrain = Given.Option("--limit-train", "N", "Take N training images, evenly over the classes.");
    private readonly Option<string?> _limitTest = Given.Option("--limit-test", "N", "Take N test images, evenly over the classes.");
    private readonly Option<string?> _preset = Given.Option("--preset", "NAME", "Start from named settings, see --list-presets; every option given overrides them.");

    /// <summary>Puts the options on a command.</summary>
    public void AddTo(Command command)
    {
        Option[] options =
        [
            _data, _dataDirectory, _preset, _model, _precision, _epochs, _batch, _rate, _schedule, _momentum, _weightDecay, _seed, _cropPadding, _noFlip,
            _attack, _epsilon, _stepSize, _noiseMagnitude, _steps, _evaluationSteps, _norm, _batchNorm, _dom, _threshold, _warmup, _domMode, _reNorm,
            _labelNoise, _limitTrain, _limitTest,
        ];
        foreach (var option in options)
            command.Add(option);
    }

    /// <summary>The options of the run: the preset's, overridden by what was given.</summary>
    /// <exception cref="OptionException">A value makes no sense.</exception>
    public TrainOptions Resolve(ParseResult parse)
    {
        var (attack, steps) = parse.Attack(_attack, _steps);
        var start = Start(parse);
        var options = start with
        {
            DataDirectory = parse.Text(_dataDirectory),
            Model = parse.Model(_model) ?? start.Model,
            Precision = parse.Precision(_precision) ?? start.Precision,
            Batch = parse.Whole(_batch) ?? start.Batch,
            LearningRate = parse.Number(_rate) ?? start.LearningRate,
            Schedule = parse.Choice(_schedule, ("constant", ScheduleKind.Constant), ("piecewise", ScheduleKind.Piecewise),
                ("triangular", ScheduleKind.Triangular), ("cosine", ScheduleKind.Cosine)) ?? start.Schedule,
            Momentum = parse.Number(_momentum) ?? start.Momentum,
            WeightDecay = parse.Number(_weightDecay) ?? start.WeightDecay,
            Seed = parse.Seed(_seed) ?? start.Seed,
            CropPadding = parse.Whole(_cropPadding) ?? start.CropPadding,
            Flip = start.Flip && !parse.GetValue(_noFlip),
            Attack = attack ?? start.Attack,
            Epsilon = parse.Number(_epsilon) ?? start.Epsilon,
            StepSize = parse.Number(_stepSize) ?? start.StepSize,
            NoiseMagnitude = parse.Number(_noiseMagnitude) ?? start.NoiseMagnitude,
            Steps = steps ?? start.Steps,
            EvaluationSteps = parse.Whole(_evaluationSteps) ?? start.EvaluationSteps,
            Norm = parse.Norm(_norm) ?? start.Norm,
            BatchNormInAttack = parse.Choice(_batchNorm, ("train", BatchNormMode.UpdateStatistics), ("eval", BatchNormMode.RunningStatistics),
                ("frozen-stats", BatchNormMode.BatchStatisticsOnly)) ?? start.BatchNormInAttack,
            Dom = Dom(parse) ?? start.Dom,
            Threshold = parse.Number(_threshold) ?? start.Threshold,
            Warmup = parse.Whole(_warmup) ?? start.Warmup,
            DomMode = parse.Choice(_domMode, ("paper", DomMode.Paper), ("code", DomMode.Code)) ?? start.DomMode,
            ReNorm = parse.Choice(_reNorm, ("batch", ReNorm.Batch), ("kept", ReNorm.Kept)) ?? start.ReNorm,
            LabelNoise = parse.Number(_labelNoise) ?? start.LabelNoise,
            LimitTrain = parse.Whole(_limitTrain) ?? start.LimitTrain,
            LimitTest = parse.Whole(_limitTest) ?? start.LimitTest,
        };
        options.Validate();
        return options;
    }

    private TrainOptions Start(ParseResult parse)
    {
        string? data = parse.DataSet(_data);
        var preset = parse.Text(_preset) is { } name
            ? Presets.Find(name)
            : new Preset("", "", Presets.ForData(data ?? Presets.Find(Presets.Default).Options.Data));
        var options = parse.Whole(_epochs) is { } epochs ? preset.ForEpochs(epochs) : preset.Options;
        return options with { Data = data ?? options.Data };
    }

    private DomAction? Dom(ParseResult parse)
    {
        if ("augment".Equals(parse.Text(_dom), StringComparison.OrdinalIgnoreCase))
            throw new OptionException("--dom augment: DOM_DA is not part of this version; DOM_RE is: --dom remove.");
        return parse.Choice(_dom, ("off", DomAction.Off), ("remove", DomAction.Remove));
    }
}
