namespace Dom.Train.Attacks;

/// <summary>
/// The step sizes of Auto-PGD, sample by sample, from the losses alone: halved at checkpoints where the loss no longer rises often enough, or where the step
/// was kept and still found nothing better (Croce and Hein 2020, section 3.2 and algorithm 1).
/// </summary>
/// <remarks>
/// As the authors' code does it, with its two peculiarities. At the first checkpoint the oldest of the compared losses has no predecessor and is compared with
/// what the history holds in the last place, which is 0 so far: it counts as a rise where the loss is above 0. And a step that starts from the best
/// image again has the momentum from the image before the last step, not from the one before the best: that is the caller's part.
/// </remarks>
internal sealed class ApgdControl
{
    /// <summary>A checkpoint halves a step when no more than this share of the steps since the last one have raised the loss.</summary>
    private const double RisingShare = 0.75;

    private readonly int _iterations;
    private readonly HashSet<int> _checkpoints;
    private readonly float[][] _losses;
    private readonly float[] _bestAtCheckpoint;
    private readonly bool[] _halved;
    private int _done, _lastCheckpoint;

    /// <summary>Begins with the losses at the start.</summary>
    /// <param name="losses">Loss of every sample at its random start; the attack raises it.</param>
    /// <param name="iterations">Steps of the run, at least 1.</param>
    /// <param name="stepSize">The first step size.</param>
    public ApgdControl(float[] losses, int iterations, float stepSize)
    {
        _iterations = iterations;
        _checkpoints = [.. Checkpoints(iterations)];
        _losses = new float[iterations][];
        _halved = new bool[losses.Length];
        Array.Fill(_halved, true); // the first checkpoint must not find that "a step that was kept" has found nothing
        Best = [.. losses];
        _bestAtCheckpoint = [.. losses];
        StepSizes = new float[losses.Length];
        Array.Fill(StepSizes, stepSize);
    }

    /// <summary>The step size of every sample.</summary>
    public float[] StepSizes { get; }

    /// <summary>The highest loss of every sample.</summary>
    public float[] Best { get; }

    /// <summary>After how many steps step sizes are looked at: 22, 41, 57, 70, 80, 87, 93 and 99 of 100.</summary>
    /// <param name="iterations">Steps of a run, at least 1.</param>
    public static IReadOnlyList<int> Checkpoints(int iterations)
    {
        int period = Share(0.22), shorter = Share(0.03), shortest = Share(0.06);
        var checkpoints = new List<int>();
        for (int at = period; at <= iterations; at += period)
        {
            checkpoints.Add(at);
            period = Math.Max(period - shorter, shortest);
        }
        return checkpoints;

        int Share(double of) => Math.Max((int)(of * iterations), 1);
    }

    /// <summary>Notes the losses after a step.</summary>
    /// <param name="losses">Loss of every sample after the step.</param>
    /// <returns>
    /// The samples whose loss is the highest so far, and those that go back to their best image with half the step, both in order. A sample can be in both.
    /// </returns>
    public (int[] Improved, int[] Reset) Observe(float[] losses)
    {
        _losses[_done] = losses;
        int[] improved = [.. Enumerable.Range(0, losses.Length).Where(n => losses[n] > Best[n])];
        foreach (int n in improved)
            Best[n] = losses[n];
        _done++;
        if (!_checkpoints.Contains(_done))
            return (improved, []);
        int period = _done - _lastCheckpoint;
        _lastCheckpoint = _done;
        var reset = new List<int>();
        for (int n = 0; n < losses.Length; n++)
        {
            bool oscillates = Rises(n, period) <= RisingShare * period, stagnates = !_halved[n] && _bestAtCheckpoint[n] >= Best[n];
            _halved[n] = oscillates || stagnates;
            _bestAtCheckpoint[n] = Best[n];
            if (!_halved[n])
                continue;
            StepSizes[n] /= 2;
            reset.Add(n);
        }
        return (improved, [.. reset]);
    }

    /// <summary>How many of the last steps have raised the loss of a sample.</summary>
    private int Rises(int n, int period)
    {
        int rises = 0;
        for (int step = _done - period; step < _done; step++)
        {
            float before = step > 0 ? _losses[step - 1][n] : _iterations > 1 ? 0 : _losses[0][n];
            rises += _losses[step][n] > before ? 1 : 0;
        }
        return rises;
    }
}
