using Dom.Nn;
using Dom.Tensors;

namespace Dom.Train.Attacks;

/// <summary>A strong attack that measures robustness: a part of AutoAttack (Croce and Hein 2020).</summary>
/// <remarks>
/// Rows are independent: what a sample gets depends on the seed, the attack and its id, never on the batch that it is in. (The authors' code seeds its
/// generator anew for every batch, so there the same sample gets other random numbers in another place of a batch.)
/// </remarks>
public interface IEvaluationAttack
{
    /// <summary>Which attack this is.</summary>
    EvaluationAttackKind Kind { get; }

    /// <summary>Attacks a batch.</summary>
    /// <param name="network">The network under attack; its normalization is inside, so the attack sees pixels.</param>
    /// <param name="batch">Samples that the network classifies correctly.</param>
    /// <param name="pass">How the network is applied: in evaluation mode (running statistics), so that rows do not influence each other.</param>
    /// <param name="budget">Radius of the ball in the maximum norm, and the seed.</param>
    /// <param name="progress">Called as the attack goes on, from the calling thread.</param>
    /// <param name="cancel">Stops between iterations.</param>
    /// <exception cref="ArgumentException">The network has too few classes for the attack's loss.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    AttackOutcome Run(
        Network network, AttackBatch batch, Pass pass, AttackBudget budget, Action<AttackProgress>? progress = null, CancellationToken cancel = default);
}

/// <summary>The attacks of AutoAttack, in its order; the value keys the random numbers.</summary>
public enum EvaluationAttackKind
{
    /// <summary>Auto-PGD on the cross-entropy.</summary>
    ApgdCe = 1,

    /// <summary>Auto-PGD on the targeted difference of logits ratio.</summary>
    ApgdT = 2,

    /// <summary>Fast adaptive boundary attack towards given classes.</summary>
    FabT = 3,

    /// <summary>Square, a black-box attack by random search.</summary>
    Square = 4,
}

/// <summary>What attacks of an evaluation are called.</summary>
public static class EvaluationAttackNames
{
    /// <summary>"APGD-CE", "APGD-T", "FAB-T", "Square".</summary>
    public static string Name(this EvaluationAttackKind kind) => kind switch
    {
        EvaluationAttackKind.ApgdCe => "APGD-CE",
        EvaluationAttackKind.ApgdT => "APGD-T",
        EvaluationAttackKind.FabT => "FAB-T",
        EvaluationAttackKind.Square => "Square",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "not an attack of an evaluation."),
    };
}

/// <summary>How strong an attack may be, and what its random numbers come from.</summary>
/// <param name="Epsilon">Radius of the ball in the maximum norm, in units of the pixel range (8/255 = 0.0314); 0 or above.</param>
/// <param name="Seed">Seed of the evaluation.</param>
public sealed record AttackBudget(float Epsilon, ulong Seed)
{
    /// <summary>Random starts and steps of evaluations never coincide with those of training, whose epochs are below.</summary>
    private const int FirstEpoch = 0xFFFF00;

    /// <summary>The stream of an attack; rows of a batch add their sample id.</summary>
    /// <param name="kind">The attack.</param>
    /// <param name="step">Restart, target or iteration: whatever draws anew.</param>
    public RandomStream Stream(EvaluationAttackKind kind, long step = 0) =>
        RandomStream.For(Seed, RandomPurpose.Attack, FirstEpoch + (int)kind, step);
}

/// <summary>How far an attack on a batch is.</summary>
/// <param name="Done">Iterations done, over all targets.</param>
/// <param name="Total">All iterations, at most.</param>
/// <param name="Fooled">Rows of the batch that fool the network by now.</param>
public readonly record struct AttackProgress(int Done, int Total, int Fooled);

/// <summary>What an attack found.</summary>
/// <param name="Images">
/// [N, H, W, C] f32 inside 0..1 and inside the ball around the clean images: an adversarial image where <paramref name="Fooled"/>, the clean one elsewhere.
/// Owned by the scope that was open around the attack.
/// </param>
/// <param name="Fooled">For each row, whether the network misclassifies its image.</param>
/// <param name="ZeroGradients">Rows that had no gradient at all at a start under a loss of logits: a sign of masked gradients.</param>
public sealed record AttackOutcome(Tensor Images, bool[] Fooled, int ZeroGradients = 0);
