using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>PGD from several random starts, of which every sample keeps the one of highest loss: PGD-50-10 has 50 steps and 10 starts.</summary>
/// <remarks>
/// An extension, not a part of the DOM paper; as single-step training is tested since Wong et al. (2020). In a step only samples that are still
/// classified correctly move, and a restart ends when none is left. Its loss decides which start a sample keeps, the later one where two are equal: the
/// kept image may, if rarely, be classified correctly although another start fooled the network with a smaller loss.
/// Hardly more than the samples that are still active are computed, in batches that shrink: rows must not depend on each other.
/// </remarks>
internal static class Restarts
{
    /// <summary>Batches shrink to a multiple of a 16th, filled up with samples that have fallen: the allocator keeps the blocks of every size it met.</summary>
    private const int BatchSizes = 16;

    /// <summary>Adversarial images; parameters as in <see cref="Attack.Run"/>. Restart r draws from step r behind the stream's.</summary>
    public static Tensor Run(
        Network network, Tensor clean, Tensor labels, Tensor sampleIds, Pass pass, AttackOptions options, RandomStream stream,
        Action<int>? restartDone, CancellationToken cancel)
    {
        if (options.Restarts < 1 || options.Kind != AttackKind.Pgd)
            throw new ArgumentException($"restarts: PGD can have 1 or more, got {options.Restarts} for {options.Kind}.", nameof(options));
        if (pass.BatchNorm != BatchNormMode.RunningStatistics || pass.Dropout is not null)
            throw new ArgumentException($"restarts: samples come and go, so the network must be in evaluation mode; got {pass}.", nameof(pass));

        using var scope = new TensorScope();
        var best = Tensor.Empty(clean.Shape, clean.Type, clean.Backend, "restarts");
        var bestLosses = new float[labels.Count];
        Array.Fill(bestLosses, float.NegativeInfinity);
        for (int restart = 0; restart < options.Restarts; restart++)
        {
            using var attempt = new TensorScope();
            var images = Attack.RandomStart(clean, sampleIds, options, stream with { Step = stream.Step + (uint)restart });
            Climb(network, clean, labels, images, pass, options, cancel);
            var losses = SoftmaxCrossEntropy.PerSample(network.Apply(images, pass), labels).ToFloats();
            // Not "at least as high": a loss that is not a number must be kept too, where there is nothing else.
            int[] higher = [.. Enumerable.Range(0, losses.Length).Where(n => !(losses[n] < bestLosses[n]))];
            foreach (int n in higher)
                bestLosses[n] = losses[n];
            if (higher.Length > 0)
            {
                var rows = Tensor.From(higher, clean.Backend);
                Rows.Scatter(Rows.Gather(images, rows), rows, best);
            }
            restartDone?.Invoke(restart + 1);
        }
        return scope.Keep(best);
    }

    /// <summary>The steps of one restart, within <paramref name="images"/>.</summary>
    private static void Climb(
        Network network, Tensor clean, Tensor labels, Tensor images, Pass pass, AttackOptions options, CancellationToken cancel)
    {
        int count = labels.Count, active = count, grain = (count + BatchSizes - 1) / BatchSizes;
        int[] order = [.. Enumerable.Range(0, count)]; // the active samples, then those that have fallen
        for (int step = 0; step < options.Steps && active > 0; step++)
        {
            cancel.ThrowIfCancellationRequested();
            using var iteration = new TensorScope();
            int size = Math.Min(count, (active + grain - 1) / grain * grain);
            var rows = Tensor.From(order.AsSpan(0, size), clean.Backend);
            var x = Rows.Gather(images, rows);
            var (gradient, correct) = GradientOfCorrect(network, x, Rows.Gather(labels, rows), active, pass);
            int[] moving = [.. correct.Select(n => order[n])];
            if (gradient is not null)
            {
                var (from, to) = (Tensor.From(correct, clean.Backend), Tensor.From(moving, clean.Backend));
                Rows.Scatter(Attack.Step(Rows.Gather(clean, to), Rows.Gather(x, from), Rows.Gather(gradient, from), options), to, images);
            }
            order = [.. moving, .. order.Except(moving)];
            active = moving.Length;
        }
    }

    /// <summary>Which of the active rows, the first ones, are classified correctly; if any is, the gradient of all rows.</summary>
    private static (Tensor? Gradient, int[] Correct) GradientOfCorrect(Network network, Tensor images, Tensor labels, int active, Pass pass)
    {
        using var tape = new Tape(images);
        var logits = network.Apply(images, pass);
        var positions = Tensor.From(Enumerable.Range(0, labels.Count).ToArray(), images.Backend);
        var figures = Tensor.Empty(Shape.Of(labels.Count, LedgerRow.Count), DType.F32, images.Backend, "restarts");
        var loss = SoftmaxCrossEntropy.Step(logits, labels, positions, figures, divisor: 1);
        var values = figures.ToFloats();
        int[] correct = [.. Enumerable.Range(0, active).Where(n => values[n * LedgerRow.Count + LedgerRow.Correct] == 1)];
        return (correct.Length == 0 ? null : tape.Gradient(logits, loss.DLogits!)[images], correct);
    }
}
