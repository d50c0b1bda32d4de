using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>APGD-CE: Auto-PGD on the cross-entropy, 100 steps from one random start.</summary>
/// <param name="loss">Another untargeted loss in the place of the cross-entropy.</param>
/// <param name="iterations">Steps.</param>
public sealed class ApgdCe(ApgdLoss loss = ApgdLoss.CrossEntropy, int iterations = Apgd.Iterations) : IEvaluationAttack
{
    /// <inheritdoc/>
    public EvaluationAttackKind Kind => EvaluationAttackKind.ApgdCe;

    /// <inheritdoc/>
    public AttackOutcome Run(
        Network network, AttackBatch batch, Pass pass, AttackBudget budget, Action<AttackProgress>? progress = null, CancellationToken cancel = default)
    {
        Survivors.CheckPass(Kind.Name(), pass);
        int done = 0;
        return Apgd.Run(
            network, batch, targets: null, pass, loss, budget.Epsilon, budget.Stream(Kind), iterations,
            fooled => progress?.Invoke(new AttackProgress(++done, iterations, fooled)), cancel);
    }
}

/// <summary>
/// APGD-T: Auto-PGD on the targeted difference of logits ratio, towards the classes of the second, third, ... largest logit of the clean image, one after the
/// other; a sample that is fooled is left out from then on.
/// </summary>
/// <param name="loss">The targeted DLR, or the targeted margin for networks of fewer than four classes.</param>
/// <param name="iterations">Steps of each run.</param>
/// <param name="mostTargets">Targets, where there are as many other classes.</param>
public sealed class ApgdT(ApgdLoss loss = ApgdLoss.TargetedDlr, int iterations = Apgd.Iterations, int mostTargets = TargetClasses.Most) : IEvaluationAttack
{
    /// <inheritdoc/>
    public EvaluationAttackKind Kind => EvaluationAttackKind.ApgdT;

    /// <inheritdoc/>
    /// <exception cref="TooFewClassesException">The loss is a DLR and the network has fewer than four classes.</exception>
    public AttackOutcome Run(
        Network network, AttackBatch batch, Pass pass, AttackBudget budget, Action<AttackProgress>? progress = null, CancellationToken cancel = default)
    {
        Survivors.CheckPass(Kind.Name(), pass);
        using var scope = new TensorScope();
        var ranked = TargetClasses.Of(network, batch.Clean, pass, mostTargets);
        int targetCount = ranked.TargetCount;
        if (loss == ApgdLoss.TargetedDlr && ranked.Classes < LogitLoss.DlrClasses)
            throw new TooFewClassesException(Kind.Name(), ranked.Classes);
        var images = Survivors.Copy(batch.Clean);
        var fooled = new bool[batch.Count];
        int zeroGradients = 0;
        for (int target = 0; target < targetCount; target++)
        {
            int[] left = [.. Enumerable.Range(0, batch.Count).Where(n => !fooled[n])];
            if (left.Length == 0)
                break;
            using var attempt = new TensorScope();
            int before = batch.Count - left.Length, done = target * iterations;
            var outcome = Apgd.Run(
                network, batch.Pick(left), Tensor.From(Array.ConvertAll(left, n => ranked.Targets[n][target]), images.Backend), pass, loss, budget.Epsilon,
                budget.Stream(Kind, target), iterations,
                more => progress?.Invoke(new AttackProgress(++done, targetCount * iterations, before + more)), cancel);
            zeroGradients = Math.Max(zeroGradients, outcome.ZeroGradients);
            int[] won = [.. Enumerable.Range(0, left.Length).Where(i => outcome.Fooled[i])], places = Array.ConvertAll(won, i => left[i]);
            if (won.Length == 0)
                continue;
            Rows.Scatter(Rows.Gather(outcome.Images, Tensor.From(won, images.Backend)), Tensor.From(places, images.Backend), images);
            foreach (int n in places)
                fooled[n] = true;
        }
        return new AttackOutcome(scope.Keep(images), fooled, zeroGradients);
    }
}
