using Dom.Nn;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Attacks;

/// <summary>On a linear model the worst image of a ball is known: attacks must find it.</summary>
public sealed class ApgdLinearTests
{
    [TestCase(ApgdLoss.CrossEntropy)]
    [TestCase(ApgdLoss.Margin)]
    public void Of_two_classes_apgd_fools_exactly_those_that_can_be_fooled_with_the_worst_image(ApgdLoss loss)
    {
        using var bench = new AttackBench(2, []);
        float epsilon = bench.EpsilonForHalf();
        var worst = bench.WorstDifferences(epsilon);
        var outcome = new ApgdCe(loss).Run(bench.Network, bench.Batch, Pass.Evaluate, new AttackBudget(epsilon, 3));
        bench.AssertSound(outcome, epsilon);
        Assert.That(outcome.Fooled, Is.EqualTo(worst.Select(row => row.Max() > 0)));
        Assert.That(outcome.Fooled, Has.Some.True.And.Some.False);
        var (images, weights) = (outcome.Images.ToFloats(), bench.Weights);
        for (int n = 0; n < bench.Labels.Length; n++)
        {
            for (int j = 0; j < AttackBench.Inputs && outcome.Fooled[n]; j++)
            {
                int label = bench.Labels[n], i = n * AttackBench.Inputs + j;
                double slope = weights[(1 - label) * AttackBench.Inputs + j] - weights[label * AttackBench.Inputs + j];
                Assert.That(images[i], Is.EqualTo(AttackBench.WorstPixel(bench.Clean[i], slope, epsilon)).Within(1e-6));
            }
        }
    }

    // z_t - z_y is linear, and there is a run for every class: what can be fooled is fooled.
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(5)]
    public void Targeted_apgd_with_the_margin_fools_exactly_those_that_can_be_fooled(int classes)
    {
        using var bench = new AttackBench(classes, []);
        float epsilon = bench.EpsilonForHalf();
        var outcome = new ApgdT(ApgdLoss.TargetedMargin).Run(bench.Network, bench.Batch, Pass.Evaluate, new AttackBudget(epsilon, 3));
        bench.AssertSound(outcome, epsilon);
        Assert.That(outcome.Fooled, Is.EqualTo(bench.WorstDifferences(epsilon).Select(row => row.Max() > 0)));
    }

    // The ratio is not linear, the cross-entropy and the margin are not towards one class: nobody is fooled who cannot be, and hardly anyone is missed.
    [TestCase(ApgdLoss.CrossEntropy)]
    [TestCase(ApgdLoss.Margin)]
    [TestCase(ApgdLoss.Dlr)]
    [TestCase(ApgdLoss.TargetedDlr)]
    public void Of_five_classes_apgd_fools_nearly_all_that_can_be_fooled_and_nobody_else(ApgdLoss loss)
    {
        using var bench = new AttackBench(5, [], samples: 100, scale: 30);
        float epsilon = bench.EpsilonForHalf();
        IEvaluationAttack attack = loss == ApgdLoss.TargetedDlr ? new ApgdT(loss) : new ApgdCe(loss);
        var outcome = attack.Run(bench.Network, bench.Batch, Pass.Evaluate, new AttackBudget(epsilon, 3));
        bench.AssertSound(outcome, epsilon);
        bool[] possible = [.. bench.WorstDifferences(epsilon).Select(row => row.Max() > 0)];
        int missed = possible.Zip(outcome.Fooled, (can, did) => can && !did).Count(m => m);
        TestContext.Out.WriteLine($"{loss}: {outcome.Fooled.Count(f => f)} of {possible.Count(p => p)} that can be fooled");
        Assert.That(outcome.Fooled.Zip(possible, (did, can) => did && !can), Has.None.True);
        Assert.That(missed, Is.LessThanOrEqualTo(loss == ApgdLoss.TargetedDlr ? 0 : 5));
    }

    // Cross-entropy grows with w_other - w_label whatever the image, so one projected step is enough.
    [TestCase(AttackKind.Fgsm, 1)]
    [TestCase(AttackKind.Pgd, 20)]
    public void Of_two_classes_fgsm_and_pgd_do_the_same(AttackKind kind, int steps)
    {
        using var bench = new AttackBench(2, []);
        float epsilon = bench.EpsilonForHalf();
        var options = AttackOptions.Create(kind, 255 * epsilon, kind == AttackKind.Fgsm ? null : 255 * epsilon / 4, steps);
        var images = Attack.Run(
            bench.Network, bench.Batch.Clean, bench.Batch.Labels, bench.Batch.SampleIds, Pass.Evaluate, options,
            Dom.Tensors.RandomStream.For(1, Dom.Tensors.RandomPurpose.Attack));
        Assert.That(
            bench.Logits(images).Select((z, n) => Array.IndexOf(z, z.Max()) != bench.Labels[n]), Is.EqualTo(bench.WorstDifferences(epsilon).Select(row => row.Max() > 0)));
    }
}
