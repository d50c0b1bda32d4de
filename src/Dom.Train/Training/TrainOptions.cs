using Dom.Nn;
using Dom.Tensors;
using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;

namespace Dom.Train.Training;

/// <summary>An option has a value that makes no sense; the message says which, what came, and what would be right.</summary>
public sealed class OptionException : Exception
{
    /// <summary>An error with a message for the user.</summary>
    public OptionException(string message) : base(message) { }

    /// <summary>An error with a message for the user and its cause.</summary>
    public OptionException(string message, Exception inner) : base(message, inner) { }

    /// <summary>An error without a message; exists for serializers only.</summary>
    public OptionException() { }
}

/// <summary>Everything that decides the result of a training run. The same options, data and backend give the same bits.</summary>
public sealed record TrainOptions
{
    /// <summary>Name of a data set or path of a folder.</summary>
    public string Data { get; init; } = "embedded";

    /// <summary>Folder in which named data sets are looked for.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Name of a network, see <see cref="Nn.Models.ModelCatalog"/>.</summary>
    public string Model { get; init; } = "preact-resnet8";

    /// <summary>
    /// Type of the activations in every pass: natural pass, attack, training pass and evaluation. In BF16 the parameters keep an f32 master copy.
    /// </summary>
    /// <remarks>Options that say nothing, written before there was a choice, mean f32.</remarks>
    public Precision Precision { get; init; } = Precision.F32;

    /// <summary>Number of epochs, at least 1.</summary>
    public int Epochs { get; init; } = 30;

    /// <summary>Samples in a batch, at least 1; the last batch of an epoch may be smaller.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Peak learning rate, above 0.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>How the learning rate goes.</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Piecewise;

    /// <summary>Momentum of SGD, 0 or more and below 1.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Weight decay on all parameters, 0 or more.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>Seed of everything random.</summary>
    public ulong Seed { get; init; }

    /// <summary>Pixels of reflection padding before a random crop; 0 for none.</summary>
    public int CropPadding { get; init; } = 4;

    /// <summary>Whether images are mirrored at random.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>An augmentation of every training image in every epoch, behind crop and flip: the paper's baselines.</summary>
    public AugmentationKind Augment { get; init; } = AugmentationKind.None;

    /// <summary>Whether the images of a call share one draw of <see cref="Augment"/> and of DOM's augmentation, as in the authors' code.</summary>
    public AugmentationDraw AugmentationDraw { get; init; } = AugmentationDraw.Batch;

    /// <summary>What is minimized.</summary>
    public LossKind Loss { get; init; } = LossKind.CrossEntropy;

    /// <summary>beta of TRADES, 0 or more; null for 6, which its authors recommend. The DOM paper does not say what it took: inferred.</summary>
    public double? TradesBeta { get; init; }

    /// <summary>The attack that makes the training images; none in natural training.</summary>
    public AttackKind Attack { get; init; } = AttackKind.None;

    /// <summary>Radius of the ball in 1/255, 0..255 in Linf.</summary>
    public double Epsilon { get; init; } = 8;

    /// <summary>Step size in 1/255; null for the attack's default.</summary>
    public double? StepSize { get; init; }

    /// <summary>
    /// Epochs over which the step size of the training attack rises linearly from 0, 0 for none: 10 and 5 on SVHN in the paper, multi-step and single-step.
    /// In the first step of a run the step size is 0, as in the sibling code of the authors.
    /// </summary>
    public double StepSizeRamp { get; init; }

    /// <summary>Radius of the noise that N-FGSM starts from, in epsilon, 0..255; null for its paper's 2.</summary>
    public double? NoiseMagnitude { get; init; }

    /// <summary>Steps of PGD in training.</summary>
    public int Steps { get; init; } = 10;

    /// <summary>Steps of the PGD that measures robust test accuracy after each epoch of adversarial training; 0 for none.</summary>
    public int EvaluationSteps { get; init; } = 20;

    /// <summary>The ball.</summary>
    public AttackNorm Norm { get; init; } = AttackNorm.Linf;

    /// <summary>
    /// What batch norm does where the network only looks, in a natural pass of its own, the tries of DOM_DA and the attack: UpdateStatistics as in the authors'
    /// code (in code mode with its exception: the first batch of every epoch but the first uses the running statistics), RunningStatistics, or
    /// BatchStatisticsOnly; null for UpdateStatistics, and with TRADES for RunningStatistics, as its authors attack.
    /// </summary>
    public BatchNormMode? BatchNormInAttack { get; init; }

    /// <summary>What DOM does.</summary>
    public DomAction Dom { get; init; } = DomAction.Off;

    /// <summary>T, in nats; null for the paper's: 0.2 natural, 1.5 PGD, 2.0 FGSM family. N-FGSM, which the paper does not have, starts from RS-FGSM's.</summary>
    public double? Threshold { get; init; }

    /// <summary>Whether T is that number, or follows the losses of the batch. T stays the line of what is reported as high confidence.</summary>
    public ThresholdKind ThresholdKind { get; init; } = ThresholdKind.Fixed;

    /// <summary>The factor of the mean, 0 or more, or the share of the quantile, 0..1; null for 0.4 (appendix G of the paper).</summary>
    public double? ThresholdFactor { get; init; }

    /// <summary>What DOM_DA augments with; null for AugMix.</summary>
    public AugmentationKind? DomAugmentation { get; init; }

    /// <summary>beta of DOM_DA, the share of the augmented image where a try fails, 0..1; null for table 1 of the paper, see <see cref="EffectiveDomStrength"/>.</summary>
    public double? DomStrength { get; init; }

    /// <summary>gamma of DOM_DA, 0 to 1000; null for table 1 of the paper, see <see cref="EffectiveDomTries"/>.</summary>
    public int? DomTries { get; init; }

    /// <summary>K, in epochs; null for half of the epochs.</summary>
    public int? Warmup { get; init; }

    /// <summary>The paper's or the code's variant.</summary>
    public DomMode DomMode { get; init; } = DomMode.Paper;

    /// <summary>What kept losses are divided by.</summary>
    public ReNorm ReNorm { get; init; } = ReNorm.Batch;

    /// <summary>Which confident samples DOM_RE removes; another than all needs the network of epoch K and removes from the epoch after K on.</summary>
    public RemoveSet RemoveSet { get; init; } = RemoveSet.All;

    /// <summary>What is done about catastrophic overfitting; null for a warning in single-step training, else nothing.</summary>
    public CollapseResponse? OnCollapse { get; init; }

    /// <summary>Whether every epoch ends with a pass over the training images, for the ledger, and what it looks at.</summary>
    public LedgerPassKind LedgerPass { get; init; } = LedgerPassKind.Off;

    /// <summary>Share of wrong training labels, 0..1.</summary>
    public double LabelNoise { get; init; }

    /// <summary>Training samples to take, evenly over the classes; null for all.</summary>
    public int? LimitTrain { get; init; }

    /// <summary>Test samples to take, evenly over the classes; null for all.</summary>
    public int? LimitTest { get; init; }

    /// <summary>The attack of a training step, when its step size has risen to what it will be.</summary>
    public AttackOptions TrainAttack => AttackOptions.Create(
        Attack, Epsilon, StepSize, Steps, Norm, NoiseMagnitude ?? AttackOptions.DefaultNoiseMagnitude);

    /// <summary>The attack that measures robustness after each epoch.</summary>
    public AttackOptions EvaluationAttack => Attack == AttackKind.None || EvaluationSteps == 0
        ? AttackOptions.None
        : AttackOptions.Create(AttackKind.Pgd, Epsilon, null, EvaluationSteps, Norm);

    /// <summary>DOM with its defaults filled in.</summary>
    public DomPolicy Policy => new(Dom, (float)EffectiveThreshold, EffectiveWarmup, DomMode, ReNorm)
    {
        ThresholdKind = ThresholdKind, ThresholdFactor = EffectiveThresholdFactor, Strength = (float)EffectiveDomStrength, Tries = EffectiveDomTries,
        RemoveSet = RemoveSet,
    };

    /// <summary>DOM as it is where a run stands: the options', or DOM_RE from the epoch behind a collapse on where that is the response to it.</summary>
    /// <param name="state">Where the run stands.</param>
    public DomPolicy PolicyAt(RunState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        bool switches = Dom == DomAction.Off && EffectiveOnCollapse == CollapseResponse.Dom && state.CollapseEpoch > 0;
        return switches ? Policy with { Action = DomAction.Remove, Warmup = state.CollapseEpoch } : Policy;
    }

    /// <summary>T: the given one, or the paper's for the training paradigm on CIFAR-10.</summary>
    public double EffectiveThreshold => Threshold ?? Attack switch { AttackKind.None => 0.2, AttackKind.Pgd => 1.5, _ => 2.0 };

    /// <summary>K: the given one, or half of the epochs.</summary>
    public int EffectiveWarmup => Warmup ?? Epochs / 2;

    /// <summary>The factor of an adaptive threshold: the given one, or the paper's.</summary>
    public double EffectiveThresholdFactor => ThresholdFactor ?? 0.4;

    /// <summary>What DOM_DA augments with: what was given, or AugMix.</summary>
    public AugmentationKind EffectiveDomAugmentation => DomAugmentation ?? AugmentationKind.AugMix;

    /// <summary>beta of DOM_DA: the given one, or table 1's: 0.5 with AugMix; with RandAugment 0 for PGD, else 0.1.</summary>
    public double EffectiveDomStrength => DomStrength ?? (EffectiveDomAugmentation, Attack) switch
    {
        (AugmentationKind.RandAugment, AttackKind.Pgd) => 0,
        (AugmentationKind.RandAugment, _) => 0.1,
        _ => 0.5,
    };

    /// <summary>gamma of DOM_DA: the given one, or table 1's for CIFAR-10: 3 natural, 2 with PGD, with the FGSM family 5 for AugMix and 3 for RandAugment.</summary>
    public int EffectiveDomTries => DomTries ?? (EffectiveDomAugmentation, Attack) switch
    {
        (_, AttackKind.Pgd) => 2,
        (_, AttackKind.None) or (AugmentationKind.RandAugment, _) => 3,
        _ => 5,
    };

    /// <summary>beta of TRADES: the given one, or 6.</summary>
    public double EffectiveTradesBeta => TradesBeta ?? 6;

    /// <summary>What is done about catastrophic overfitting: what was given, or a warning where training attacks in a single step and robustness is measured.</summary>
    public CollapseResponse EffectiveOnCollapse => OnCollapse
        ?? (Attack is AttackKind.None or AttackKind.Pgd || EvaluationSteps == 0 ? CollapseResponse.Off : CollapseResponse.Warn);

    /// <summary>What batch norm does where the network only looks: what was given, or the default of the loss.</summary>
    public BatchNormMode EffectiveBatchNormInAttack =>
        BatchNormInAttack ?? (Loss == LossKind.Trades ? BatchNormMode.RunningStatistics : BatchNormMode.UpdateStatistics);

    /// <summary>Crop and flip.</summary>
    public Augmentation Augmentation => new(CropPadding, Flip);

    /// <summary>The attack of a training step: its step size rises with <see cref="StepSizeRamp"/>.</summary>
    public AttackOptions TrainAttackAt(StepPosition position)
    {
        double time = position.Epoch + (double)position.Step / position.Steps;
        var attack = TrainAttack;
        return time < StepSizeRamp ? attack with { StepSize = (float)(attack.StepSize * (time / StepSizeRamp)) } : attack;
    }

    /// <summary>
    /// Where the image augmentations of a step draw from. Draws of single samples depend on seed, epoch and sample, and so not on the batch; a draw that is
    /// shared belongs to the step.
    /// </summary>
    internal RandomStream DrawsOf(RandomPurpose purpose, StepPosition position) =>
        RandomStream.For(Seed, purpose, position.Epoch, AugmentationDraw == AugmentationDraw.Batch ? position.Global : 0);

    /// <summary>The same with the defaults filled in that a run has: what it writes down, and resumes with.</summary>
    internal TrainOptions Resolved() => this with
    {
        Threshold = EffectiveThreshold,
        Warmup = EffectiveWarmup,
        BatchNormInAttack = EffectiveBatchNormInAttack,
        ThresholdFactor = ThresholdKind == ThresholdKind.Fixed ? ThresholdFactor : EffectiveThresholdFactor,
        DomAugmentation = Dom == DomAction.Augment ? EffectiveDomAugmentation : DomAugmentation,
        DomStrength = Dom == DomAction.Augment ? EffectiveDomStrength : DomStrength,
        DomTries = Dom == DomAction.Augment ? EffectiveDomTries : DomTries,
        TradesBeta = Loss == LossKind.Trades ? EffectiveTradesBeta : TradesBeta,
        OnCollapse = Attack == AttackKind.None ? OnCollapse : EffectiveOnCollapse,
    };

    /// <summary>Checks that every value makes sense.</summary>
    /// <exception cref="OptionException">The first that does not, with what would be right.</exception>
    public void Validate()
    {
        Require(Epochs >= 1, "--epochs", Epochs, "at least 1");
        Require(Batch >= 1, "--batch", Batch, "at least 1");
        Require(double.IsFinite(LearningRate) && LearningRate > 0, "--lr", LearningRate, "a number above 0");
        Require(Momentum is >= 0 and < 1, "--momentum", Momentum, "0 or more and below 1");
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, "--weight-decay", WeightDecay, "0 or more");
        Require(CropPadding >= 0, "--crop-padding", CropPadding, "0 (no crop) or more");
        Require(Epsilon is >= 0 and <= 255 || (Norm == AttackNorm.L2 && double.IsFinite(Epsilon) && Epsilon >= 0), "--epsilon", Epsilon,
            "0 to 255: it is given in 1/255 of the pixel range, 8 stands for 8/255");
        Require(StepSize is not { } s || (double.IsFinite(s) && s > 0), "--step-size", StepSize, "above 0, in 1/255");
        Require(NoiseMagnitude is null or (>= 0 and <= 255), "--noise-magnitude", NoiseMagnitude, "0 to 255: n-fgsm starts from noise within that many times epsilon");
        Require(NoiseMagnitude is null || Attack == AttackKind.NFgsm, "--noise-magnitude", NoiseMagnitude, "left out unless the attack is n-fgsm");
        Require(Attack != AttackKind.NFgsm || Norm == AttackNorm.Linf, "--norm", "l2", "linf with --attack n-fgsm, whose noise and step are those of single pixels");
        Require(Steps >= 1, "--steps", Steps, "at least 1");
        Require(EvaluationSteps >= 0, "--eval-steps", EvaluationSteps, "0 (no robust evaluation) or more");
        Require(double.IsFinite(EffectiveThreshold) && EffectiveThreshold >= 0, "--threshold", Threshold, "0 or more: a loss in nats");
        Require(EffectiveWarmup >= 0 && EffectiveWarmup <= Epochs, "--warmup", Warmup, $"between 0 and the {Epochs} epochs of the run");
        Require(double.IsFinite(StepSizeRamp) && StepSizeRamp >= 0, "--step-size-ramp", StepSizeRamp, "0 (none) or more epochs");
        Require(StepSizeRamp == 0 || Attack != AttackKind.None, "--step-size-ramp", StepSizeRamp, "left out unless there is an --attack in training");
        ValidateDom();
        ValidateTrades();
        ValidateAnalysis();
        Require(LabelNoise is >= 0 and <= 1, "--label-noise", LabelNoise, "a share between 0 and 1");
        Require(LimitTrain is null or >= 1, "--limit-train", LimitTrain, "at least 1");
        Require(LimitTest is null or >= 1, "--limit-test", LimitTest, "at least 1");
    }

    private void ValidateDom()
    {
        bool augments = Dom == DomAction.Augment;
        Require(DomAugmentation is null || augments, "--dom-augmentation", NameOf(DomAugmentation), "left out unless --dom is augment");
        Require(DomAugmentation != AugmentationKind.None, "--dom-augmentation", "none", "augmix or randaugment");
        Require(DomStrength is null || augments, "--dom-strength", DomStrength, "left out unless --dom is augment");
        Require(DomStrength is null or (>= 0 and <= 1), "--dom-strength", DomStrength, "0 to 1: the share of the augmented image, 0.5 for the paper's 50 %");
        Require(DomTries is null || augments, "--dom-tries", DomTries, "left out unless --dom is augment");
        Require(DomTries is null or (>= 0 and <= 1000), "--dom-tries", DomTries, "0 to 1000");
        Require(ThresholdFactor is null || ThresholdKind != ThresholdKind.Fixed, "--threshold-factor", ThresholdFactor,
            "left out unless --threshold-kind is mean or quantile; a fixed threshold is --threshold");
        Require(double.IsFinite(EffectiveThresholdFactor) && EffectiveThresholdFactor >= 0, "--threshold-factor", ThresholdFactor, "0 or more");
        Require(ThresholdKind != ThresholdKind.Quantile || EffectiveThresholdFactor <= 1, "--threshold-factor", ThresholdFactor,
            "0 to 1 with --threshold-kind quantile: the share of the batch below the threshold");
    }

    private void ValidateTrades()
    {
        bool isTrades = Loss == LossKind.Trades;
        Require(TradesBeta is null || isTrades, "--trades-beta", TradesBeta, "left out unless --loss is trades");
        Require(TradesBeta is null or (>= 0 and <= 1e6), "--trades-beta", TradesBeta, "0 to 1000000");
        Require(!isTrades || (Attack == AttackKind.Pgd && Norm == AttackNorm.Linf), "--loss", "trades", "with --attack pgd and --norm linf: its attack is PGD in the maximum norm");
    }

    private void ValidateAnalysis()
    {
        string set = RemoveSet.ToString().ToLowerInvariant();
        Require(RemoveSet == RemoveSet.All || Dom == DomAction.Remove, "--remove-set", set, "left out unless --dom is remove");
        Require(RemoveSet == RemoveSet.All || ThresholdKind == ThresholdKind.Fixed, "--remove-set", set, "all with an adaptive threshold: that of another batch's losses is not known to the network of epoch K");
        Require(RemoveSet == RemoveSet.All || EffectiveWarmup >= 1, "--remove-set", set, "all with --warmup 0: there is no network of epoch K to compare with");
        bool watches = OnCollapse is not (null or CollapseResponse.Off);
        string? response = OnCollapse?.ToString().ToLowerInvariant();
        Require(!watches || Attack != AttackKind.None, "--on-collapse", response, "left out, or off, unless there is an --attack in training");
        Require(!watches || EvaluationSteps > 0, "--on-collapse", response, "left out, or off, with --eval-steps 0: robust accuracy on test images is what it goes by");
    }

    private static string? NameOf(AugmentationKind? kind) => kind?.ToString().ToLowerInvariant();

    private static void Require(bool holds, string option, object? value, string right)
    {
        if (!holds)
            throw new OptionException($"{option} is {value}; it must be {right}.");
    }
}
