using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>Settings of FAB-T; the defaults are AutoAttack's.</summary>
/// <param name="Iterations">Iterations towards each target, at least 1.</param>
/// <param name="Targets">Target classes, at least 1: those of the largest logits of the clean image but for the label's, at most all others.</param>
/// <param name="Overshoot">How far a step goes beyond the linearized boundary, at least 1. The paper's eta.</param>
/// <param name="BackwardStep">What is left of the perturbation after a step back from the far side, within 0..1. The paper's beta.</param>
/// <param name="MaximumPull">Largest weight of the step that starts at the clean image, within 0..1. The paper's alpha_max.</param>
public sealed record FabOptions(
    int Iterations = 100, int Targets = 9, float Overshoot = 1.05f, float BackwardStep = 0.9f, float MaximumPull = 0.1f)
{
    /// <summary>Refuses what makes no sense.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public void Validate()
    {
        if (Iterations < 1 || Targets < 1)
            throw new ArgumentException($"FAB-T: iterations and targets must be 1 or more, got {Iterations} and {Targets}.");
        if (!(Overshoot >= 1 && float.IsFinite(Overshoot)))
            throw new ArgumentException($"FAB-T: the overshoot must be 1 or more, got {Overshoot}.");
        if (!(BackwardStep is >= 0 and <= 1) || !(MaximumPull is >= 0 and <= 1))
            throw new ArgumentException($"FAB-T: backward step and maximum pull must be within 0..1, got {BackwardStep} and {MaximumPull}.");
    }
}

/// <summary>
/// FAB-T: the fast adaptive boundary attack towards given classes (Croce and Hein, ICML 2020), which looks for the closest adversarial image, wherever that
/// is, and keeps it if it lies within the ball.
/// </summary>
/// <remarks>
/// For each target t, from the clean image: steps towards the hyperplane in which z_t - z_y would vanish if the network were linear (<see cref="BoundaryStep"/>). An image that any
/// class but the label wins is recorded if none was closer, and the next step starts at <see cref="FabOptions.BackwardStep"/> of its perturbation. A sample is fooled if
/// the closest recorded image of a target is at most epsilon away; it then sits out the other targets. No random start: the seed has no influence.
/// On a linear network the first step ends at Overshoot times the smallest distance at which the target wins, and the closest recorded image about half a percent beyond that distance.
/// Two forward passes and one backward pass to the input an iteration, as the authors' code.
/// </remarks>
public sealed class FabAttack : IEvaluationAttack
{
    private readonly FabOptions _options;

    /// <summary>The attack with AutoAttack's settings, or others.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public FabAttack(FabOptions? options = null)
    {
        _options = options ?? new FabOptions();
        _options.Validate();
    }

    /// <inheritdoc/>
    public EvaluationAttackKind Kind => EvaluationAttackKind.FabT;

    /// <inheritdoc/>
    public AttackOutcome Run(
        Network network, AttackBatch batch, Pass pass, AttackBudget budget, Action<AttackProgress>? progress = null, CancellationToken cancel = default)
    {
        Survivors.CheckPass(Kind.Name(), pass);
        using var scope = new TensorScope();
        var fooled = new bool[batch.Count];
        var images = Survivors.Copy(batch.Clean);
        if (batch.Count == 0 || budget.Epsilon == 0) // a ball of one point, which is classified correctly
            return new AttackOutcome(scope.Keep(images), fooled);
        int[][] targets = Targets(network.Apply(batch.Clean, pass).ToFloats(), batch.HostLabels);
        var survivors = new Survivors(batch.Count);
        int rounds = targets[0].Length;
        for (int round = 0; round < rounds && survivors.Count > 0; round++)
        {
            using var attempt = new TensorScope();
            int[] rows = survivors.Batch();
            var part = batch.Pick(rows);
            var target = Tensor.From([.. rows.Select(n => targets[n][round])], batch.Clean.Backend); // [rows]
            int before = round * _options.Iterations;
            var (closest, distances) = Approach(
                network, part, target, pass, done => progress?.Invoke(new AttackProgress(before + done, rounds * _options.Iterations, batch.Count - survivors.Count)), cancel);
            int[] within = [.. Enumerable.Range(0, rows.Length).Where(i => survivors.Stands(rows[i]) && distances[i] <= budget.Epsilon)];
            if (within.Length == 0)
                continue;
            foreach (int i in within)
            {
                fooled[rows[i]] = true;
                survivors.Remove(rows[i]);
            }
            var places = Tensor.From([.. within.Select(i => rows[i])], batch.Clean.Backend);
            Rows.Scatter(Rows.Gather(closest, Tensor.From(within, batch.Clean.Backend)), places, images);
        }
        progress?.Invoke(new AttackProgress(rounds * _options.Iterations, rounds * _options.Iterations, batch.Count - survivors.Count));
        return new AttackOutcome(scope.Keep(images), fooled);
    }

    /// <summary>The classes to go for, sample by sample: the label apart, the largest logits first, of equals the first class.</summary>
    private int[][] Targets(float[] logits, int[] labels)
    {
        int classes = logits.Length / labels.Length, count = Math.Min(_options.Targets, classes - 1);
        return [.. labels.Select((label, n) => Enumerable.Range(0, classes).Where(c => c != label)
            .OrderByDescending(c => logits[n * classes + c]).Take(count).ToArray())];
    }

    /// <summary>The iterations towards one target: for every row the closest adversarial image that was met, and its distance; infinite where none was.</summary>
    private (Tensor Closest, float[] Distances) Approach(
        Network network, AttackBatch batch, Tensor targets, Pass pass, Action<int> iterationDone, CancellationToken cancel)
    {
        var shortest = new float[batch.Count];
        Array.Fill(shortest, float.PositiveInfinity);
        Tensor x = batch.Clean, closest = batch.Clean;
        for (int iteration = 1; iteration <= _options.Iterations; iteration++)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = new TensorScope();
            var (gradient, differences) = Linearize(network, x, batch.Labels, targets, pass);
            var (y, distances) = BoundaryStep.Fab(batch.Clean, x, gradient, differences, _options.Overshoot, _options.MaximumPull);
            var predictions = LogitLoss.Step(network.Apply(y, pass), batch.Labels, LogitLossKind.Margin, wantsGradient: false).Predictions.ToArray<int>();
            float[] reached = distances.ToFloats(), isCloser = new float[batch.Count], kept = new float[batch.Count];
            for (int n = 0; n < batch.Count; n++)
            {
                bool isAdversarial = predictions[n] != batch.HostLabels[n];
                kept[n] = isAdversarial ? _options.BackwardStep : 1;
                if (!isAdversarial || !(reached[n] < shortest[n]))
                    continue;
                isCloser[n] = 1;
                shortest[n] = reached[n];
            }
            if (isCloser.Contains(1))
                closest = Replace(closest, Blend(closest, y, isCloser), batch.Clean, scope);
            x = Replace(x, Array.TrueForAll(kept, k => k == 1) ? y : Blend(batch.Clean, y, kept), batch.Clean, scope);
            iterationDone(iteration);
        }
        return (closest, shortest);
    }

    /// <summary>z_t - z_y of every row [N], and its gradient with respect to the images.</summary>
    private static (Tensor Gradient, Tensor Differences) Linearize(Network network, Tensor images, Tensor labels, Tensor targets, Pass pass)
    {
        using var tape = new Tape(images);
        var logits = network.Apply(images, pass);
        var result = LogitLoss.Step(logits, labels, LogitLossKind.Difference, targets);
        return (tape.Gradient(logits, result.DLogits!)[images], result.Losses);
    }

    private static Tensor Blend(Tensor a, Tensor b, float[] weights) => Rows.Blend(a, b, Tensor.From(weights, Shape.Of(weights.Length), a.Backend));

    /// <summary>Lets the newer images outlive the iteration and the older ones go, unless those are the clean ones.</summary>
    private static Tensor Replace(Tensor older, Tensor newer, Tensor clean, TensorScope iteration)
    {
        if (older != clean)
            older.Dispose();
        return iteration.Keep(newer);
    }
}
