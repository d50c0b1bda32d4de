namespace Dom.Train.Attacks;

/// <summary>What an attack of an evaluation has done so far.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Attacked">Samples that it attacked.</param>
/// <param name="Fooled">Of these, those whose image fools the network when it is classified once more.</param>
/// <param name="ZeroGradients">Samples that had no gradient at a start under a loss of logits.</param>
/// <param name="Seconds">Time that it took.</param>
public sealed record AttackTally(EvaluationAttackKind Attack, int Attacked = 0, int Fooled = 0, int ZeroGradients = 0, double Seconds = 0);

/// <summary>Where an evaluation stands, after each batch: from it the rest follows, bit for bit. Random numbers need no state.</summary>
public sealed record AutoAttackState
{
    /// <summary>In <see cref="Verdicts"/>: the network is wrong on the clean image.</summary>
    public const char Wrong = 'x';

    /// <summary>In <see cref="Verdicts"/>: no attack has fooled the network so far.</summary>
    public const char Robust = '.';

    /// <summary>One character a sample: <see cref="Wrong"/>, <see cref="Robust"/>, or the number of the attack that fooled the network (1 APGD-CE, 2 APGD-T,
    /// 3 FAB-T, 4 Square).</summary>
    public string Verdicts { get; init; } = "";

    /// <summary>Attacks that are finished or under way, in their order.</summary>
    public IReadOnlyList<AttackTally> Tallies { get; init; } = [];

    /// <summary>Attacks that are finished.</summary>
    public int AttacksDone { get; init; }

    /// <summary>Samples that the attack under way has passed: it goes on with the first robust one behind.</summary>
    public int SamplesDone { get; init; }

    /// <summary>The largest change of a pixel in all adversarial images, 0..1.</summary>
    public double LargestChange { get; init; }

    /// <summary>Whether five passes over one batch gave different logits.</summary>
    public bool IsRandomized { get; init; }

    /// <summary>Whether the outputs look like probabilities instead of logits.</summary>
    public bool LooksLikeProbabilities { get; init; }

    /// <summary>Number of samples.</summary>
    public int Samples => Verdicts.Length;

    /// <summary>Samples that the network gets right on clean images.</summary>
    public int Correct => Verdicts.Count(v => v != Wrong);

    /// <summary>Samples that no attack has fooled so far.</summary>
    public int RobustCount => Verdicts.Count(v => v == Robust);

    /// <summary>The mark of an attack in <see cref="Verdicts"/>.</summary>
    public static char MarkOf(EvaluationAttackKind kind) => (char)('0' + (int)kind);
}
