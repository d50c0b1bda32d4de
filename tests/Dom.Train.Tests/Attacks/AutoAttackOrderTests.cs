using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Train.Tests.Attacks;

/// <summary>A small network, trained for a moment on patterns under noise, under PGD and the strong attacks.</summary>
public sealed class AutoAttackOrderTests
{
    private const double Epsilon = 8; // of 255
    private const int Samples = 100, Classes = 10;

    private readonly CpuBackend _backend = new(2);
    private Trainer _trainer = null!;
    private DeviceSplit _split = null!;

    [OneTimeSetUp]
    public void Train()
    {
        var data = new DataSet("patterns", Patterns(600, 1), Patterns(Samples, 2), [.. Enumerable.Range(0, Classes).Select(c => $"{c}")]);
        _trainer = new Trainer(new TrainOptions { Model = "mlp", Epochs = 5, Batch = 50, LearningRate = 0.05, Seed = 2, EvaluationSteps = 0, CropPadding = 0, Flip = false }, data, _backend);
        while (!_trainer.IsFinished)
            _trainer.FinishEpoch(_trainer.RunSteps(null, null, CancellationToken.None), null, CancellationToken.None);
        _split = new DeviceSplit(data.Test, _backend);
    }

    /// <summary>A pattern a class, of 8x8 pixels in three colors, under noise.</summary>
    private static ImageSplit Patterns(int count, int split)
    {
        const int Side = 8, Length = Side * Side * 3;
        var pixels = new byte[count * Length];
        for (int n = 0; n < count; n++)
        {
            var (pattern, noise) = (RandomStream.For(1, RandomPurpose.Test, sample: n % Classes), RandomStream.For(1, RandomPurpose.Test, split, sample: n));
            for (int j = 0; j < Length; j++)
                pixels[n * Length + j] = (byte)(128 + 16 * Math.Sign(pattern.Uniform(j) - 0.5) + 100 * (noise.Uniform(j) - 0.5f));
        }
        return new ImageSplit(pixels, [.. Enumerable.Range(0, count).Select(n => n % Classes)], Side, Side, 3);
    }

    [OneTimeTearDown]
    public void Close()
    {
        _split.Dispose();
        _trainer.Dispose();
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
        _backend.Dispose();
    }

    [Test]
    public void Stronger_attacks_leave_less()
    {
        var pgd = Evaluation.Run(_trainer.Network, _split, AttackOptions.Create(AttackKind.Pgd, Epsilon, steps: 20));
        var state = Strong(Epsilon, EvaluationAttackKind.ApgdCe, EvaluationAttackKind.ApgdT);
        int apgdCe = state.Correct - state.Tallies[0].Fooled;
        TestContext.Out.WriteLine($"clean {state.Correct}, PGD-20 {pgd.Accuracy * Samples:0}, APGD-CE {apgdCe}, APGD-T {state.RobustCount} of {Samples}");
        Assert.Multiple(() =>
        {
            Assert.That(state.Correct, Is.GreaterThan(pgd.Accuracy * Samples));
            Assert.That(apgdCe, Is.LessThanOrEqualTo(pgd.Accuracy * Samples + 1));
            Assert.That(state.RobustCount, Is.LessThanOrEqualTo(apgdCe).And.GreaterThan(0));
            Assert.That(state.LargestChange, Is.EqualTo(Epsilon / 255).Within(1e-6));
        });
    }

    [Test]
    public void The_four_attacks_of_the_standard_run_one_behind_the_other()
    {
        var state = Strong(Epsilon, 40, [.. AutoAttackOptions.Standard]);
        TestContext.Out.WriteLine(string.Join(", ", state.Tallies.Select(t => $"{t.Attack.Name()} {t.Fooled} of {t.Attacked}")));
        Assert.That(state.Tallies.Select(t => t.Attack), Is.EqualTo(AutoAttackOptions.Standard));
        Assert.That(state.Tallies.Skip(1).Select(t => t.Attacked), Is.EqualTo(state.Tallies.SkipLast(1).Select(t => t.Attacked - t.Fooled)), "survivors");
        Assert.That(state.RobustCount, Is.EqualTo(state.Correct - state.Tallies.Sum(t => t.Fooled)).And.GreaterThan(0));
        Assert.That(AutoAttackChecks.Warnings(state), Is.Empty, "nothing hides its gradients here");
    }

    [Test]
    public void A_larger_ball_leaves_less_and_none_leaves_the_clean_accuracy()
    {
        int[] robust = [.. new[] { 0, Epsilon / 2, 2 * Epsilon }.Select(epsilon => Strong(epsilon, EvaluationAttackKind.ApgdCe).RobustCount)];
        Assert.That(robust, Is.Ordered.Descending);
        Assert.That(robust[0], Is.EqualTo(Strong(0, EvaluationAttackKind.ApgdT).Correct));
        Assert.That(robust[2], Is.LessThan(robust[0]));
    }

    [Test]
    public void The_size_of_the_batches_changes_no_verdict()
    {
        string[] verdicts = [.. new[] { 7, Samples }.Select(batch => Strong(Epsilon, batch, EvaluationAttackKind.ApgdCe).Verdicts)];
        Assert.That(verdicts[1], Is.EqualTo(verdicts[0]));
    }

    private AutoAttackState Strong(double epsilon, params EvaluationAttackKind[] attacks) => Strong(epsilon, Samples, attacks);

    private AutoAttackState Strong(double epsilon, int batch, params EvaluationAttackKind[] attacks) => new AutoAttack(
        _trainer.Network, _split, Classes, new AutoAttackOptions { Attacks = attacks, Budget = new AttackBudget((float)(epsilon / 255), 1), Batch = batch }).Run();
}
