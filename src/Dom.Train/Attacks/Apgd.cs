using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>
/// Auto-PGD in the maximum norm (Croce and Hein 2020, algorithm 1): gradient steps with momentum whose size every sample finds for itself, from 2 epsilon down.
/// </summary>
/// <remarks>
/// One random start, all steps for every sample, no early end. Losses and step sizes are looked at on the host, N numbers a step; images stay on the device.
/// </remarks>
internal static class Apgd
{
    /// <summary>Steps of a run in AutoAttack.</summary>
    public const int Iterations = 100;

    /// <summary>Share of the new step in every step but the first; the rest is the step before.</summary>
    private const float Momentum = 0.75f;

    /// <summary>One run.</summary>
    /// <param name="network">The network under attack.</param>
    /// <param name="batch">The samples.</param>
    /// <param name="targets">A target class [N] for a targeted loss, else null.</param>
    /// <param name="pass">How the network is applied; in evaluation mode.</param>
    /// <param name="loss">What is raised.</param>
    /// <param name="epsilon">Radius of the ball.</param>
    /// <param name="start">What the random start is drawn from.</param>
    /// <param name="iterations">Steps, at least 1.</param>
    /// <param name="stepDone">Called after each step with the number of samples that have been misclassified so far.</param>
    /// <param name="cancel">Stops between steps.</param>
    /// <returns>The latest misclassified image of every sample that has had one, the clean one of the others. ZeroGradients counts starts without a gradient.</returns>
    public static AttackOutcome Run(
        Network network, AttackBatch batch, Tensor? targets, Pass pass, ApgdLoss loss, float epsilon, RandomStream start, int iterations = Iterations,
        Action<int>? stepDone = null, CancellationToken cancel = default)
    {
        using var run = new TensorScope();
        int sign = LossGradient.SignOf(loss);
        var x = RandomStart(batch, epsilon, start);
        var previous = x;
        var (losses, _, gradient) = LossGradient.Of(network, x, batch.Labels, targets, pass, loss);
        int zeroGradients = loss == ApgdLoss.CrossEntropy ? 0 : ZeroRows(gradient);
        Tensor best = Survivors.Copy(x), bestGradient = Survivors.Copy(gradient), adversarial = Survivors.Copy(batch.Clean);
        var fooled = new bool[batch.Count];
        var control = new ApgdControl(losses, iterations, 2 * epsilon);
        for (int i = 0; i < iterations; i++)
        {
            cancel.ThrowIfCancellationRequested();
            using var iteration = new TensorScope();
            var steps = Tensor.From(Array.ConvertAll(control.StepSizes, size => sign * size), Shape.Of(batch.Count), x.Backend);
            var next = ApgdStep.Sign(batch.Clean, x, previous, gradient, steps, i == 0 ? 1 : Momentum, epsilon);
            var (nextLosses, predictions, nextGradient) = LossGradient.Of(network, next, batch.Labels, targets, pass, loss);
            int[] wrong = [.. Enumerable.Range(0, batch.Count).Where(n => predictions[n] != batch.HostLabels[n])];
            foreach (int n in wrong)
                fooled[n] = true;
            var (improved, reset) = control.Observe(nextLosses);
            CopyRows(next, adversarial, wrong);
            CopyRows(next, best, improved);
            CopyRows(nextGradient, bestGradient, improved);
            // Back to the best image; the image before the last step stays "previous", as in the authors' code.
            CopyRows(best, next, reset);
            CopyRows(bestGradient, nextGradient, reset);
            if (previous != x)
                previous.Dispose();
            gradient.Dispose();
            (previous, x, gradient) = (x, iteration.Keep(next), iteration.Keep(nextGradient));
            stepDone?.Invoke(fooled.Count(f => f));
        }
        return new AttackOutcome(run.Keep(adversarial), fooled, zeroGradients);
    }

    /// <summary>A random point of the ball whose largest change is exactly epsilon, clipped to valid pixels.</summary>
    /// <remarks>clean + epsilon u / max |u| with u uniform in -1..1 per element, the maximum over each image.</remarks>
    internal static Tensor RandomStart(AttackBatch batch, float epsilon, RandomStream stream)
    {
        using var scope = new TensorScope();
        var noise = Noise.Uniform(batch.SampleIds, batch.Clean.Shape, stream, -1, 1);
        var values = noise.ToFloats();
        int length = batch.Count == 0 ? 0 : values.Length / batch.Count;
        var weights = new float[batch.Count];
        for (int n = 0; n < weights.Length; n++)
            weights[n] = epsilon / (values.AsSpan(n * length, length).ToArray().Max(MathF.Abs) + 1e-12f);
        // clean + w u is the mixture of clean and clean + u.
        var moved = Rows.Blend(batch.Clean, Add.Apply(batch.Clean, noise), Tensor.From(weights, Shape.Of(batch.Count), noise.Backend));
        return scope.Keep(Perturb.SignStep(batch.Clean, moved, noise, 0, epsilon));
    }

    /// <summary>Overwrites rows of the target with the same rows of the source.</summary>
    private static void CopyRows(Tensor source, Tensor target, int[] rows)
    {
        if (rows.Length == 0)
            return;
        using var scope = new TensorScope();
        var places = Tensor.From(rows, source.Backend);
        Rows.Scatter(Rows.Gather(source, places), places, target);
    }

    private static int ZeroRows(Tensor gradient) =>
        gradient.ToFloats().Chunk(Math.Max(1, gradient.Count / Math.Max(1, gradient.Shape[0]))).Count(row => Array.TrueForAll(row, g => g == 0));
}
