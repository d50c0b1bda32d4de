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
public sealed record AttackOptions(AttackKind Kind, float Epsilon, float StepSize, int Steps, AttackNorm Norm = AttackNorm.Linf)
{
    /// <summary>No attack.</summary>
    public static AttackOptions None { get; } = new(AttackKind.None, 0, 0, 0);

    /// <summary>Whether the attack starts from a random point of the ball.</summary>
    public bool HasRandomStart => Kind is AttackKind.RsFgsm or AttackKind.Pgd;

    /// <summary>The attack with the literature's step size where none is given: epsilon for FGSM, 1.25 epsilon for RS-FGSM, 2/255 for PGD in
    /// Linf (as the DOM authors), 2.5 epsilon / steps for PGD in L2.</summary>
    /// <param name="kind">The attack.</param>
    /// <param name="epsilonIn255ths">Radius in 1/255.</param>
    /// <param name="stepSizeIn255ths">Step in 1/255, or null for the default.</param>
    /// <param name="steps">Steps of PGD.</param>
    /// <param name="norm">The ball.</param>
    public static AttackOptions Create(
        AttackKind kind, double epsilonIn255ths, double? stepSizeIn255ths = null, int steps = 10, AttackNorm norm = AttackNorm.Linf)
    {
        if (kind == AttackKind.None)
            return None;
        if (kind != AttackKind.Pgd)
            steps = 1;
        double step = stepSizeIn255ths ?? kind switch
        {
            AttackKind.Fgsm => epsilonIn255ths,
            AttackKind.RsFgsm => 1.25 * epsilonIn255ths,
            _ => norm == AttackNorm.Linf ? 2 : 2.5 * epsilonIn255ths / steps,
        };
        return new AttackOptions(kind, (float)(epsilonIn255ths / 255), (float)(step / 255), steps, norm);
    }

    /// <summary>"PGD-10 Linf 8/255, step 2/255".</summary>
    public override string ToString() => Kind == AttackKind.None
        ? "none"
        : $"{ShortName} {Norm} {Epsilon * 255:0.##}/255, step {StepSize * 255:0.##}/255";

    /// <summary>"FGSM", "RS-FGSM", "PGD-10".</summary>
    public string ShortName => Kind switch
    {
        AttackKind.None => "none",
        AttackKind.Fgsm => "FGSM",
        AttackKind.RsFgsm => "RS-FGSM",
        _ => $"PGD-{Steps}",
    };
}
