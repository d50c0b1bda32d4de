using System.CommandLine;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Train.Augmentations;
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

    private readonly Option<string?> _augment = Given.Option("--augment", "none|augmix|randaugment",
        "Augment every training image in every epoch, behind crop and flip: the paper's baselines. Default: none.");

    private readonly Option<string?> _augmentationDraw = Given.Option("--aug-draw", "batch|sample",
        "Whether the images of a call share the draw of operations, as in the DOM authors' code, or each has its own. For --augment and --dom augment. Default: batch.");

    private readonly Option<string?> _loss = Given.Option("--loss", "ce|trades",
        "What is minimized: the cross-entropy of the images that are trained on, or TRADES with --attack pgd: that of the clean ones plus beta KL(clean || attacked). Default: ce.");

    private readonly Option<string?> _tradesBeta = Given.Option("--trades-beta", "BETA",
        "Weight of the divergence in TRADES. Default: 6, its authors'; the DOM paper does not name one.");

    private readonly Option<string?> _attack = Given.Option("--attack", "none|fgsm|rs-fgsm|n-fgsm|pgd",
        "Attack that makes the training images; pgd-10 is pgd with 10 steps. none is natural training.");

    private readonly Option<string?> _epsilon = Given.Option("--epsilon", "E", "Radius of the attack in 1/255 of the pixel range, 0 to 255. Default: 8.");

    private readonly Option<string?> _stepSize = Given.Option("--step-size", "S",
        "Step of the attack in 1/255. Default: epsilon for fgsm and n-fgsm, 1.25 epsilon for rs-fgsm, 2 for pgd.");

    private readonly Option<string?> _stepSizeRamp = Given.Option("--step-size-ramp", "EPOCHS",
        "The step of the training attack rises from 0 over so many epochs: the paper's 10 (pgd) and 5 (rs-fgsm) on SVHN. Default: 0, none.");

    private readonly Option<string?> _noiseMagnitude = SharedOptions.NoiseMagnitude();

    private readonly Option<string?> _steps = Given.Option("--steps", "N", "Steps of pgd in training. Default: 10.");

    private readonly Option<string?> _evaluationSteps = Given.Option("--eval-steps", "N",
        "Steps of the pgd that tests robustness after each epoch of adversarial training; 0 for none. Default: 20.");

    private readonly Option<string?> _norm = Given.Option("--norm", "linf|l2", "What the radius limits: the change of each pixel, or its Euclidean norm.");

    private readonly Option<string?> _batchNorm = Given.Option("--bn-attack", "train|eval|frozen-stats",
        "Batch norm while an attack is made or DOM looks at losses: batch statistics that are learned from (as the DOM authors do), running statistics, or batch statistics that leave no trace. "
        + "Default: train; eval with --loss trades.");

    private readonly Option<string?> _dom = Given.Option("--dom", "off|remove|augment",
        "Distraction Over-Memorization: once the natural loss of an image is below the threshold, remove takes it out of the loss (DOM_RE), augment augments it until it is not (DOM_DA). Default: off.");

    private readonly Option<string?> _domAugmentation = Given.Option("--dom-augmentation", "augmix|randaugment", "What --dom augment augments with. Default: augmix.");

    private readonly Option<string?> _domStrength = Given.Option("--dom-strength", "BETA",
        "Share of the augmented image in what is left where a try fails, 0 to 1. Default: the paper's: 0.5 with augmix; with randaugment 0 for pgd, else 0.1.");

    private readonly Option<string?> _domTries = Given.Option("--dom-tries", "GAMMA",
        "The most images that --dom augment draws for one in a step. Default: the paper's for CIFAR-10: 3 natural, 2 pgd; fgsm and its kin 5 with augmix, 3 with randaugment.");

    private readonly Option<string?> _threshold = Given.Option("--threshold", "T",
        "A natural loss below it, in nats, is high confidence. Default: the paper's for CIFAR-10: 0.2 natural, 1.5 pgd, 2.0 fgsm and rs-fgsm; n-fgsm, which is not in the paper, has 2.0 too.");

    private readonly Option<string?> _thresholdKind = Given.Option("--threshold-kind", "fixed|mean|quantile",
        "What DOM goes by: --threshold, a factor of the batch's mean loss, or the loss that a share of the batch lies below. The paper's adaptive threshold (appendix G) is read as mean, which it does not say. Default: fixed.");

    private readonly Option<string?> _thresholdFactor = Given.Option("--threshold-factor", "F", "The factor of mean, the share of quantile. Default: 0.4, the paper's 40 %.");

    private readonly Option<string?> _warmup = Given.Option("--warmup", "K", "Epochs before DOM acts. Default: half of the epochs.");
    private readonly Option<string?> _domMode = Given.Option("--dom-mode", "paper|code", "Where the paper and its authors' code differ: comparisons, start, and what augment does with images of which all tries failed. Default: paper.");

    private readonly Option<string?> _reNorm = Given.Option("--re-norm", "batch|kept",
        "What the kept losses are divided by: the full batch (as the authors do) or their number. Default: batch.");

    private readonly Option<string?> _removeSet = Given.Option("--remove-set", "all|original|transformed",
        "Which confident images --dom remove takes out: all, those that the network of epoch K was confident of already, or those that it was not (over-memorized). "
        + "The removal experiments of the paper's figure 1; that the network of epoch K is asked batch by batch on the same augmented images, in evaluation mode, is inferred. Default: all.");

    private readonly Option<string?> _onCollapse = Given.Option("--on-collapse", "warn|stop|dom|off",
        "What to do when the network resists its training attack and falls to pgd (catastrophic overfitting): say so, stop behind the epoch with everything saved (exit code 3), or remove confident images from then on. "
        + "Default: warn with fgsm, rs-fgsm and n-fgsm, else off.");

    private readonly Option<string?> _ledgerPass = Given.Option("--ledger-pass", "plain|augmented|off",
        "After every epoch, measure the losses of all training images, network in evaluation mode, on the images as they are or freshly cropped and flipped, in adversarial training under pgd-10 too (and fgsm in single-step training), "
        + "for dom analyze. Costs a pass an epoch, under attack many. Default: off.");

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
            _augment, _augmentationDraw, _attack, _epsilon, _stepSize, _stepSizeRamp, _noiseMagnitude, _steps, _evaluationSteps, _norm, _batchNorm, _loss, _tradesBeta,
            _dom, _domAugmentation, _domStrength, _domTries, _threshold, _thresholdKind, _thresholdFactor, _warmup, _domMode, _reNorm, _removeSet, _onCollapse, _ledgerPass,
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
            Augment = parse.Choice(_augment, ("none", AugmentationKind.None), ("augmix", AugmentationKind.AugMix), ("randaugment", AugmentationKind.RandAugment)) ?? start.Augment,
            AugmentationDraw = parse.Choice(_augmentationDraw, ("batch", AugmentationDraw.Batch), ("sample", AugmentationDraw.Sample)) ?? start.AugmentationDraw,
            Loss = parse.Choice(_loss, ("ce", LossKind.CrossEntropy), ("trades", LossKind.Trades)) ?? start.Loss,
            TradesBeta = parse.Number(_tradesBeta) ?? start.TradesBeta,
            Attack = attack ?? start.Attack,
            Epsilon = parse.Number(_epsilon) ?? start.Epsilon,
            StepSize = parse.Number(_stepSize) ?? start.StepSize,
            StepSizeRamp = parse.Number(_stepSizeRamp) ?? start.StepSizeRamp,
            NoiseMagnitude = parse.Number(_noiseMagnitude) ?? start.NoiseMagnitude,
            Steps = steps ?? start.Steps,
            EvaluationSteps = parse.Whole(_evaluationSteps) ?? start.EvaluationSteps,
            Norm = parse.Norm(_norm) ?? start.Norm,
            BatchNormInAttack = parse.Choice(_batchNorm, ("train", BatchNormMode.UpdateStatistics), ("eval", BatchNormMode.RunningStatistics),
                ("frozen-stats", BatchNormMode.BatchStatisticsOnly)) ?? start.BatchNormInAttack,
            Dom = parse.Choice(_dom, ("off", DomAction.Off), ("remove", DomAction.Remove), ("augment", DomAction.Augment)) ?? start.Dom,
            DomAugmentation = parse.Choice(_domAugmentation, ("augmix", AugmentationKind.AugMix), ("randaugment", AugmentationKind.RandAugment)) ?? start.DomAugmentation,
            DomStrength = parse.Number(_domStrength) ?? start.DomStrength,
            DomTries = parse.Whole(_domTries) ?? start.DomTries,
            Threshold = parse.Number(_threshold) ?? start.Threshold,
            ThresholdKind = parse.Choice(_thresholdKind,
                ("fixed", ThresholdKind.Fixed), ("mean", ThresholdKind.Mean), ("quantile", ThresholdKind.Quantile)) ?? start.ThresholdKind,
            ThresholdFactor = parse.Number(_thresholdFactor) ?? start.ThresholdFactor,
            Warmup = parse.Whole(_warmup) ?? start.Warmup,
            DomMode = parse.Choice(_domMode, ("paper", DomMode.Paper), ("code", DomMode.Code)) ?? start.DomMode,
            ReNorm = parse.Choice(_reNorm, ("batch", ReNorm.Batch), ("kept", ReNorm.Kept)) ?? start.ReNorm,
            RemoveSet = parse.Choice(_removeSet, ("all", RemoveSet.All), ("original", RemoveSet.Original), ("transformed", RemoveSet.Transformed)) ?? start.RemoveSet,
            OnCollapse = parse.Choice(_onCollapse, ("warn", CollapseResponse.Warn), ("stop", CollapseResponse.Stop), ("dom", CollapseResponse.Dom), ("off", CollapseResponse.Off)) ?? start.OnCollapse,
            LedgerPass = parse.Choice(_ledgerPass, ("plain", LedgerPassKind.Plain), ("augmented", LedgerPassKind.Augmented), ("off", LedgerPassKind.Off)) ?? start.LedgerPass,
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
}
