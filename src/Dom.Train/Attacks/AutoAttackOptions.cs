using Dom.Nn;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>What an evaluation with strong attacks runs.</summary>
public sealed record AutoAttackOptions
{
    /// <summary>The standard evaluation of AutoAttack in the maximum norm.</summary>
    public static IReadOnlyList<EvaluationAttackKind> Standard { get; } =
        [EvaluationAttackKind.ApgdCe, EvaluationAttackKind.ApgdT, EvaluationAttackKind.FabT, EvaluationAttackKind.Square];

    /// <summary>The attacks in their order; each sees only the samples that those before it could not fool.</summary>
    public IReadOnlyList<EvaluationAttackKind> Attacks { get; init; } = Standard;

    /// <summary>Radius of the ball in the maximum norm, and the seed.</summary>
    public required AttackBudget Budget { get; init; }

    /// <summary>Samples attacked at once.</summary>
    public int Batch { get; init; } = 250;

    /// <summary>
    /// Whether APGD-T raises the margin instead of the difference of logits ratio: for networks of fewer than four classes. The result is then not the standard
    /// evaluation's.
    /// </summary>
    public bool UsesMargin { get; init; }

    /// <summary>Type of the activations.</summary>
    public Precision Precision { get; init; } = Precision.F32;

    /// <summary>Whether these are the attacks of the standard evaluation with their own losses.</summary>
    public bool IsStandard => !UsesMargin && Attacks.SequenceEqual(Standard);

    /// <summary>The attack of a kind, as these options want it.</summary>
    public IEvaluationAttack Create(EvaluationAttackKind kind) => kind switch
    {
        EvaluationAttackKind.ApgdCe => new ApgdCe(),
        EvaluationAttackKind.ApgdT => new ApgdT(UsesMargin ? ApgdLoss.TargetedMargin : ApgdLoss.TargetedDlr),
        EvaluationAttackKind.FabT => new FabAttack(),
        EvaluationAttackKind.Square => new SquareAttack(),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not an attack of an evaluation."),
    };

    /// <summary>Refuses options that make no sense.</summary>
    /// <param name="classes">Classes of the network.</param>
    /// <exception cref="ArgumentException">The radius or the batch is out of range, or there is no attack.</exception>
    /// <exception cref="TooFewClassesException">An attack needs more classes.</exception>
    public void Validate(int classes)
    {
        if (Attacks.Count == 0 || Attacks.Distinct().Count() != Attacks.Count)
            throw new ArgumentException($"evaluation: there must be one attack or more, each once, got {string.Join(", ", Attacks)}.");
        if (Batch < 1)
            throw new ArgumentException($"evaluation: the batch must be at least 1, got {Batch}.");
        if (!(Budget.Epsilon >= 0 && float.IsFinite(Budget.Epsilon)))
            throw new ArgumentException($"evaluation: the radius epsilon must be 0 or above, got {Budget.Epsilon}.");
        if (Attacks.Contains(EvaluationAttackKind.ApgdT) && !UsesMargin && classes < LogitLoss.DlrClasses)
            throw new TooFewClassesException(EvaluationAttackKind.ApgdT.Name(), classes);
    }
}
