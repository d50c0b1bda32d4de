namespace Dom.Train.Attacks;

/// <summary>How far an evaluation is.</summary>
/// <param name="Attack">The attack under way.</param>
/// <param name="Batch">Its batch, from 1.</param>
/// <param name="Batches">Its batches.</param>
/// <param name="Attacked">Samples that it attacks in all.</param>
/// <param name="Robust">Samples that nothing has fooled so far, in all.</param>
/// <param name="Samples">All samples of the evaluation.</param>
/// <param name="Within">How far the attack on this batch is.</param>
/// <param name="Left">An estimate of the time that is left, at most that; null while there is nothing to tell it from.</param>
public sealed record AutoAttackProgress(
    EvaluationAttackKind Attack, int Batch, int Batches, int Attacked, int Robust, int Samples, AttackProgress Within, TimeSpan? Left);

/// <summary>Tells the time that is left from the time that was used: both in passes over a sample.</summary>
/// <param name="attacks">The attacks of the evaluation.</param>
/// <param name="classes">Classes of the network.</param>
internal sealed class AutoAttackClock(IReadOnlyList<EvaluationAttackKind> attacks, int classes)
{
    private double _done, _seconds;

    /// <summary>Notes that some samples went through an attack.</summary>
    public void Add(EvaluationAttackKind attack, int samples, double seconds)
    {
        _done += samples * CostOf(attack);
        _seconds += seconds;
    }

    /// <summary>What is left if nobody falls any more.</summary>
    /// <param name="index">The attack under way.</param>
    /// <param name="samplesLeft">Its samples that are left.</param>
    /// <param name="robust">Samples that the attacks behind it will see.</param>
    public TimeSpan? Left(int index, double samplesLeft, int robust)
    {
        if (_done == 0)
            return null;
        double left = samplesLeft * CostOf(attacks[index]) + attacks.Skip(index + 1).Sum(attack => robust * CostOf(attack));
        return TimeSpan.FromSeconds(left * _seconds / _done);
    }

    /// <summary>Forward passes over a sample, a backward pass counted as two.</summary>
    private double CostOf(EvaluationAttackKind attack) => attack switch
    {
        EvaluationAttackKind.ApgdCe => 3 * (Apgd.Iterations + 1),
        EvaluationAttackKind.ApgdT => 3 * (Apgd.Iterations + 1) * Targets,
        EvaluationAttackKind.FabT => 4 * 100 * Targets,
        _ => 5000,
    };

    private int Targets => Math.Min(TargetClasses.Most, classes - 1);
}
