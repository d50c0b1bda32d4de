namespace Dom.Train.Attacks;

/// <summary>An attack by its name in the literature.</summary>
public enum AttackKind
{
    /// <summary>No attack: natural training, clean evaluation.</summary>
    None,

    /// <summary>Fast gradient sign method (Goodfellow et al. 2015): one step of size epsilon from the clean image.</summary>
    Fgsm,

    /// <summary>FGSM with a random start (Wong et al. 2020): one step of 1.25 epsilon from a random point of the ball, projected.</summary>
    RsFgsm,

    /// <summary>Projected gradient descent (Madry et al. 2018): k steps from a random start, projected after each.</summary>
    Pgd,

    /// <summary>FGSM from stronger noise (de Jorge et al. 2022): one step of epsilon from noise of 2 epsilon, not projected. An extension: the DOM
    /// paper does not have it.</summary>
    NFgsm,
}

/// <summary>Which ball a perturbation stays in.</summary>
public enum AttackNorm
{
    /// <summary>No pixel changes by more than epsilon.</summary>
    Linf,

    /// <summary>The Euclidean norm of the change of an image is at most epsilon.</summary>
    L2,
}

/// <summary>An attack with its strength. Pixels are in 0..1; so are <see cref="Epsilon"/> and <see cref="StepSize"/>.</summary>
/// <param name="Kind">The attack.</param>
/// <param name="Epsilon">Radius of the ball, in units of the pixel range (8/255 = 0.0314).</param>
/// <param name="StepSize">Length of a step, in the same units.</param>
/// <param name="Steps">Number of steps; 1 for the FGSM family.</param>
/// <param name="Norm">The ball.</param>
/// <param name="NoiseMagnitude">Radius of the noise that N-FGSM starts from, in epsilon, 0 or more; the other attacks start within epsilon.</param>
/// <param name="Restarts">
/// Random starts of PGD, at least 1, of which every sample keeps the one of highest loss. With more than one, a sample that is misclassified already
/// stays as it is until the next start. An extension: the DOM paper tests with one.
/// </param>
public sealed record AttackOptions(
    AttackKind Kind, float Epsilon, float StepSize, int Steps, AttackNorm Norm = AttackNorm.Linf,
    float NoiseMagnitude = AttackOptions.DefaultNoiseMagnitude, int Restarts = 1)
{
    /// <summary>Radius of N-FGSM's noise in its paper, in epsilon.</summary>
    public const float DefaultNoiseMagnitude = 2;

    /// <summary>No attack.</summary>
    public static AttackOptions None { get; } = new(AttackKind.None, 0, 0, 0);

    /// <summary>Whether the attack starts from a random point of the ball.</summary>
    public bool HasRandomStart => Kind is AttackKind.RsFgsm or AttackKind.Pgd or AttackKind.NFgsm;

    /// <summary>How far from the clean image a pixel of the random start may be.</summary>
    internal float StartRadius => Kind == AttackKind.NFgsm ? NoiseMagnitude * Epsilon : Epsilon;

    /// <summary>What a perturbation is projected to; infinite for N-FGSM, which leaves noise and step alone.</summary>
    internal float ProjectionRadius => Kind == AttackKind.NFgsm ? float.PositiveInfinity : Epsilon;

    /// <summary>The attack with the literature's step size where none is given: epsilon for FGSM and N-FGSM, 1.25 epsilon for RS-FGSM, 2/255 for PGD in
    /// Linf (as the DOM authors), 2.5 epsilon / steps for PGD in L2.</summary>
    /// <param name="kind">The attack.</param>
    /// <param name="epsilonIn255ths">Radius in 1/255.</param>
    /// <param name="stepSizeIn255ths">Step in 1/255, or null for the default.</param>
    /// <param name="steps">Steps of PGD.</param>
    /// <param name="norm">The ball.</param>
    /// <param name="noiseMagnitude">Radius of N-FGSM's noise, in epsilon.</param>
    /// <exception cref="ArgumentException">N-FGSM in another norm than Linf, or with noise of a negative radius.</exception>
    public static AttackOptions Create(
        AttackKind kind, double epsilonIn255ths, double? stepSizeIn255ths = null, int steps = 10, AttackNorm norm = AttackNorm.Linf,
        double noiseMagnitude = DefaultNoiseMagnitude)
    {
        if (kind == AttackKind.None)
            return None;
        if (kind == AttackKind.NFgsm && norm != AttackNorm.Linf)
            throw new ArgumentException($"N-FGSM is defined in the maximum norm, not in {norm}.", nameof(norm));
        if (!(noiseMagnitude >= 0 && double.IsFinite(noiseMagnitude)))
            throw new ArgumentException($"N-FGSM: the noise must reach 0 or more times epsilon, got {noiseMagnitude}.", nameof(noiseMagnitude));
        if (kind != AttackKind.Pgd)
            steps = 1;
        double step = stepSizeIn255ths ?? kind switch
        {
            AttackKind.Fgsm or AttackKind.NFgsm => epsilonIn255ths,
            AttackKind.RsFgsm => 1.25 * epsilonIn255ths,
            _ => norm == AttackNorm.Linf ? 2 : 2.5 * epsilonIn255ths / steps,
        };
        return new AttackOptions(kind, (float)(epsilonIn255ths / 255), (float)(step / 255), steps, norm, (float)noiseMagnitude);
    }

    /// <summary>"PGD-10 Linf 8/255, step 2/255"; "N-FGSM Linf 8/255, step 8/255, noise 16/255".</summary>
    public override string ToString() => Kind == AttackKind.None
        ? "none"
        : $"{ShortName} {Norm} {Epsilon * 255:0.##}/255, step {StepSize * 255:0.##}/255{(Kind == AttackKind.NFgsm ? $", noise {StartRadius * 255:0.##}/255" : "")}";

    /// <summary>"FGSM", "RS-FGSM", "N-FGSM", "PGD-10"; with restarts "PGD-50-10".</summary>
    public string ShortName => Kind switch
    {
        AttackKind.None => "none",
        AttackKind.Fgsm => "FGSM",
        AttackKind.RsFgsm => "RS-FGSM",
        AttackKind.NFgsm => "N-FGSM",
        _ => Restarts == 1 ? $"PGD-{Steps}" : $"PGD-{Steps}-{Restarts}",
    };
}
