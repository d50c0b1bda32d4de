using Dom.Nn;
using Dom.Train.Attacks;
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

    /// <summary>The attack that makes the training images; none in natural training.</summary>
    public AttackKind Attack { get; init; } = AttackKind.None;

    /// <summary>Radius of the ball in 1/255, 0..255 in Linf.</summary>
    public double Epsilon { get; init; } = 8;

    /// <summary>Step size in 1/255; null for the attack's default.</summary>
    public double? StepSize { get; init; }

    /// <summary>Radius of the noise that N-FGSM starts from, in epsilon, 0..255; null for its paper's 2.</summary>
    public double? NoiseMagnitude { get; init; }

    /// <summary>Steps of PGD in training.</summary>
    public int Steps { get; init; } = 10;

    /// <summary>Steps of the PGD that measures robust test accuracy after each epoch of adversarial training; 0 for none.</summary>
    public int EvaluationSteps { get; init; } = 20;

    /// <summary>The ball.</summary>
    public AttackNorm Norm { get; init; } = AttackNorm.Linf;

    /// <summary>
    /// What batch norm does in the natural pass and the attack of an adversarial step: UpdateStatistics as in the authors' code (in code mode with its
    /// exception: the first batch of every epoch but the first uses the running statistics), RunningStatistics, or BatchStatisticsOnly.
    /// </summary>
    public BatchNormMode BatchNormInAttack { get; init; } = BatchNormMode.UpdateStatistics;

    /// <summary>What DOM does.</summary>
    public DomAction Dom { get; init; } = DomAction.Off;

    /// <summary>T, in nats; null for the paper's: 0.2 natural, 1.5 PGD, 2.0 FGSM family. N-FGSM, which the paper does not have, starts from RS-FGSM's.</summary>
    public double? Threshold { get; init; }

    /// <summary>K, in epochs; null for half of the epochs.</summary>
    public int? Warmup { get; init; }

    /// <summary>The paper's or the code's variant.</summary>
    public DomMode DomMode { get; init; } = DomMode.Paper;

    /// <summary>What kept losses are divided by.</summary>
    public ReNorm ReNorm { get; init; } = ReNorm.Batch;

    /// <summary>Share of wrong training labels, 0..1.</summary>
    public double LabelNoise { get; init; }

    /// <summary>Training samples to take, evenly over the classes; null for all.</summary>
    public int? LimitTrain { get; init; }

    /// <summary>Test samples to take, evenly over the classes; null for all.</summary>
    public int? LimitTest { get; init; }

    /// <summary>The attack of a training step.</summary>
    public AttackOptions TrainAttack => AttackOptions.Create(
        Attack, Epsilon, StepSize, Steps, Norm, NoiseMagnitude ?? AttackOptions.DefaultNoiseMagnitude);

    /// <summary>The attack that measures robustness after each epoch.</summary>
    public AttackOptions EvaluationAttack => Attack == AttackKind.None || EvaluationSteps == 0
        ? AttackOptions.None
        : AttackOptions.Create(AttackKind.Pgd, Epsilon, null, EvaluationSteps, Norm);

    /// <summary>DOM with its defaults filled in.</summary>
    public DomPolicy Policy => new(Dom, (float)EffectiveThreshold, EffectiveWarmup, DomMode, ReNorm);

    /// <summary>T: the given one, or the paper's for the training paradigm on CIFAR-10.</summary>
    public double EffectiveThreshold => Threshold ?? Attack switch { AttackKind.None => 0.2, AttackKind.Pgd => 1.5, _ => 2.0 };

    /// <summary>K: the given one, or half of the epochs.</summary>
    public int EffectiveWarmup => Warmup ?? Epochs / 2;

    /// <summary>Crop and flip.</summary>
    public Augmentation Augmentation => new(CropPadding, Flip);

    /// <summary>The options with all defaults filled in, as a run's description holds them.</summary>
    internal TrainOptions Resolved() => this with { Threshold = EffectiveThreshold, Warmup = EffectiveWarmup };

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
        Require(LabelNoise is >= 0 and <= 1, "--label-noise", LabelNoise, "a share between 0 and 1");
        Require(LimitTrain is null or >= 1, "--limit-train", LimitTrain, "at least 1");
        Require(LimitTest is null or >= 1, "--limit-test", LimitTest, "at least 1");
    }

    private static void Require(bool holds, string option, object? value, string right)
    {
        if (!holds)
            throw new OptionException($"{option} is {value}; it must be {right}.");
    }
}
