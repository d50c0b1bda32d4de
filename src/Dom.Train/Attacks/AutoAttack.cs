using System.Globalization;
using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Data;

namespace Dom.Train.Attacks;

/// <summary>
/// AutoAttack's standard evaluation in the maximum norm (Croce and Hein 2020): attacks one after the other, each on the samples that are still classified
/// correctly. A sample is robust if the network is right on its clean image and on what every attack made of it.
/// </summary>
/// <remarks>
/// The survivors of an attack are put into full batches for the next. Images that come back from an attack are classified once more, apart from it, and only
/// that counts. Batches are saved as they are done: an evaluation that was stopped goes on from its state.
/// </remarks>
public sealed class AutoAttack
{
    private readonly Network _network;
    private readonly DeviceSplit _split;
    private readonly AutoAttackOptions _options;
    private readonly Pass _pass;
    private readonly TimeProvider _time;
    private readonly AutoAttackClock _clock;

    /// <summary>Prepares an evaluation.</summary>
    /// <param name="network">The network.</param>
    /// <param name="split">The samples.</param>
    /// <param name="classes">Classes of the network.</param>
    /// <param name="options">The attacks.</param>
    /// <param name="time">The clock; null for the system's.</param>
    /// <exception cref="ArgumentException">The options make no sense; <see cref="TooFewClassesException"/> where a DLR has too few classes.</exception>
    public AutoAttack(Network network, DeviceSplit split, int classes, AutoAttackOptions options, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate(classes);
        (_network, _split, _options, _time) = (network, split, options, time ?? TimeProvider.System);
        _pass = Pass.Evaluate with { Precision = options.Precision };
        _clock = new AutoAttackClock(options.Attacks, classes);
    }

    /// <summary>Called after every batch with where the evaluation stands: what is kept of it can be gone on from.</summary>
    public Action<AutoAttackState>? Saved { get; init; }

    /// <summary>Called as attacks go on.</summary>
    public Action<AutoAttackProgress>? Progress { get; init; }

    /// <summary>Makes the attacks; null for those of the options.</summary>
    internal Func<EvaluationAttackKind, IEvaluationAttack>? Create { get; init; }

    /// <summary>Runs the evaluation to its end.</summary>
    /// <param name="from">Where it stands; null to begin.</param>
    /// <param name="cancel">Stops between the steps of an attack; the batch under way is lost, the ones before are not.</param>
    /// <returns>The state at the end.</returns>
    /// <exception cref="ArgumentException">The state is of another split or of other attacks.</exception>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public AutoAttackState Run(AutoAttackState? from = null, CancellationToken cancel = default)
    {
        using var held = _network.HoldParameters();
        var state = from ?? Begin(cancel);
        if (state.Samples != _split.Count || state.Tallies.Where((tally, i) => i >= _options.Attacks.Count || tally.Attack != _options.Attacks[i]).Any())
            throw new ArgumentException("evaluation: the state that was given is of another split or of other attacks.", nameof(from));
        foreach (var tally in state.Tallies)
            _clock.Add(tally.Attack, tally.Attacked, tally.Seconds);
        while (state.AttacksDone < _options.Attacks.Count)
            state = RunAttack(state, _options.Attacks[state.AttacksDone], cancel);
        return state;
    }

    /// <summary>The clean images: who is right, and what the outputs look like.</summary>
    private AutoAttackState Begin(CancellationToken cancel)
    {
        var verdicts = new char[_split.Count];
        bool isRandomized = false, looksLikeProbabilities = false;
        for (int start = 0; start < _split.Count; start += _options.Batch)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = new TensorScope();
            var batch = Gather([.. Enumerable.Range(start, Math.Min(_options.Batch, _split.Count - start))]);
            var logits = _network.Apply(batch.Clean, _pass);
            bool[] wrong = Misclassified(logits, batch);
            for (int n = 0; n < batch.Count; n++)
                verdicts[start + n] = wrong[n] ? AutoAttackState.Wrong : AutoAttackState.Robust;
            if (start > 0)
                continue;
            isRandomized = AutoAttackChecks.IsRandomized(() => _network.Apply(batch.Clean, _pass), batch.HostLabels);
            looksLikeProbabilities = AutoAttackChecks.LooksLikeProbabilities(logits.ToFloats(), logits.Shape[1]);
        }
        var state = new AutoAttackState { Verdicts = new string(verdicts), IsRandomized = isRandomized, LooksLikeProbabilities = looksLikeProbabilities };
        Saved?.Invoke(state);
        return state;
    }

    private AutoAttackState RunAttack(AutoAttackState state, EvaluationAttackKind kind, CancellationToken cancel)
    {
        var attack = Create?.Invoke(kind) ?? _options.Create(kind);
        if (state.Tallies.Count == state.AttacksDone)
            state = state with { Tallies = [.. state.Tallies, new AttackTally(kind)] };
        int[] left = [.. Enumerable.Range(state.SamplesDone, state.Samples - state.SamplesDone).Where(n => state.Verdicts[n] == AutoAttackState.Robust)];
        int attackedBefore = state.Tallies[^1].Attacked, total = attackedBefore + left.Length;
        int batchesBefore = (attackedBefore + _options.Batch - 1) / _options.Batch, batches = batchesBefore + (left.Length + _options.Batch - 1) / _options.Batch;
        foreach (int[] rows in left.Chunk(_options.Batch))
        {
            cancel.ThrowIfCancellationRequested();
            var before = state;
            int samplesLeft = total - before.Tallies[^1].Attacked, batchNumber = ++batchesBefore;
            state = RunBatch(state, attack, rows, within =>
            {
                double share = within.Total == 0 ? 0 : (double)within.Done / within.Total;
                Progress?.Invoke(new AutoAttackProgress(
                    kind, batchNumber, batches, total, before.RobustCount - within.Fooled, before.Samples, within,
                    _clock.Left(before.AttacksDone, samplesLeft - share * rows.Length, before.RobustCount - within.Fooled)));
            }, cancel);
            Saved?.Invoke(state);
        }
        state = state with { AttacksDone = state.AttacksDone + 1, SamplesDone = 0 };
        Saved?.Invoke(state);
        return state;
    }

    private AutoAttackState RunBatch(AutoAttackState state, IEvaluationAttack attack, int[] rows, Action<AttackProgress> progress, CancellationToken cancel)
    {
        using var scope = new TensorScope();
        long started = _time.GetTimestamp();
        progress(new AttackProgress(0, 1, 0));
        var batch = Gather(rows);
        var outcome = attack.Run(_network, batch, _pass, _options.Budget, progress, cancel);
        double change = LargestChange(attack.Kind, batch, outcome.Images);
        bool[] fooled = Misclassified(_network.Apply(outcome.Images, _pass), batch);
        var verdicts = state.Verdicts.ToCharArray();
        for (int i = 0; i < rows.Length; i++)
        {
            if (fooled[i])
                verdicts[rows[i]] = AutoAttackState.MarkOf(attack.Kind);
        }
        double seconds = _time.GetElapsedTime(started).TotalSeconds;
        _clock.Add(attack.Kind, rows.Length, seconds);
        var tally = state.Tallies[^1];
        tally = tally with
        {
            Attacked = tally.Attacked + rows.Length, Fooled = tally.Fooled + fooled.Count(f => f), Seconds = tally.Seconds + seconds,
            ZeroGradients = tally.ZeroGradients + outcome.ZeroGradients,
        };
        return state with
        {
            Verdicts = new string(verdicts), Tallies = [.. state.Tallies.SkipLast(1), tally], SamplesDone = rows[^1] + 1,
            LargestChange = Math.Max(state.LargestChange, change),
        };
    }

    private AttackBatch Gather(int[] rows)
    {
        var samples = _split.Gather(rows, Augmentation.None, default);
        return new AttackBatch(samples.Pixels, samples.Labels, samples.SampleIds, samples.Labels.ToArray<int>());
    }

    private static bool[] Misclassified(Tensor logits, AttackBatch batch)
    {
        int[] predictions = LogitLoss.Step(logits, batch.Labels, LogitLossKind.Margin, wantsGradient: false).Predictions.ToArray<int>();
        return [.. predictions.Zip(batch.HostLabels, (prediction, label) => prediction != label)];
    }

    /// <summary>The largest change of a pixel. No attack may leave the ball or the range of pixels: a number from such an image would be worth nothing.</summary>
    private double LargestChange(EvaluationAttackKind kind, AttackBatch batch, Tensor images)
    {
        const float Rounding = 1e-6f;
        float[] clean = batch.Clean.ToFloats(), attacked = images.ToFloats();
        float largest = 0;
        for (int i = 0; i < clean.Length; i++)
        {
            float change = MathF.Abs(attacked[i] - clean[i]);
            if (!(change <= _options.Budget.Epsilon + Rounding && attacked[i] >= 0 && attacked[i] <= 1))
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                    $"{kind.Name()} left the ball or the range of pixels: {clean[i]} became {attacked[i]}, epsilon is {_options.Budget.Epsilon}."));
            }
            largest = MathF.Max(largest, change);
        }
        return largest;
    }
}
