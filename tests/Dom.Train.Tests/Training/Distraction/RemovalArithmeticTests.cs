using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Memorization;

namespace Dom.Train.Tests.Training.Distraction;

/// <summary>DOM_RE against arithmetic by hand, see <see cref="FivePixels"/>: who counts, and what the sum is divided by.</summary>
public sealed class RemovalArithmeticTests
{
    private static readonly AttackKind[] s_attacks = [AttackKind.None, AttackKind.Fgsm, AttackKind.Pgd];

    // Losses 0.018, 0.127, ln 2, 2.127, 4.018 and T = ln 2: the paper keeps the two above it, the code the one on it too.
    [Test]
    public void Paper_keeps_above_and_code_keeps_at_or_above(
        [Values] DomMode mode, [Values] ReNorm reNorm, [ValueSource(nameof(s_attacks))] AttackKind attack)
    {
        using var model = new FivePixels();
        double[] keep = mode == DomMode.Paper ? [0, 0, 0, 1, 1] : [0, 0, 1, 1, 1];
        int kept = (int)keep.Sum();
        var outcome = model.Step(FivePixels.Options(DomAction.Remove, mode, attack) with { ReNorm = reNorm });
        double divisor = reNorm == ReNorm.Batch ? 5 : kept;
        outcome.ShouldTrainOn(Array.ConvertAll(FivePixels.Pixels, x => FivePixels.Attacked(x, attack)), Array.ConvertAll(keep, k => k / divisor));
        Assert.Multiple(() =>
        {
            Assert.That((outcome.Figures.Kept, outcome.Figures.Selected, outcome.Figures.Accepted, outcome.Figures.Tries), Is.EqualTo((kept, 5 - kept, 0, 0)));
            Assert.That(outcome.Natural, Is.EqualTo(Array.ConvertAll(FivePixels.Pixels, x => (float)FivePixels.Loss(x))).Within(2e-6));
        });
    }

    // The mean of the losses is (0.018150 + 0.126928 + 0.693147 + 2.126928 + 4.018150) / 5 = 6.983303 / 5 = 1.396661; 0.4 times it is 0.558664, between
    // the second and the third.
    [Test]
    public void Relative_to_the_mean_of_the_batch([ValueSource(nameof(s_attacks))] AttackKind attack) =>
        ShouldKeep(ThresholdKind.Mean, 0.4, attack, DomMode.Paper, [0, 0, 1, 1, 1]);

    // 1.6 times the mean is 2.234657, above the fourth.
    [Test]
    public void Relative_to_the_mean_with_another_factor([ValueSource(nameof(s_attacks))] AttackKind attack) =>
        ShouldKeep(ThresholdKind.Mean, 1.6, attack, DomMode.Code, [0, 0, 0, 0, 1]);

    // Place 0.4 (5 - 1) = 1.6 in ascending order: 0.126928 + 0.6 (0.693147 - 0.126928) = 0.466660.
    [Test]
    public void The_quantile_of_the_batch([ValueSource(nameof(s_attacks))] AttackKind attack) =>
        ShouldKeep(ThresholdKind.Quantile, 0.4, attack, DomMode.Paper, [0, 0, 1, 1, 1]);

    // Place 0.5 (5 - 1) = 2: exactly the third loss, which the paper removes and the code keeps.
    [TestCase(DomMode.Paper, 0)]
    [TestCase(DomMode.Code, 1)]
    public void A_quantile_that_is_a_loss_of_the_batch(DomMode mode, double third) =>
        ShouldKeep(ThresholdKind.Quantile, 0.5, AttackKind.None, mode, [0, 0, third, 1, 1]);

    [Test]
    public void An_adaptive_threshold_takes_no_second_forward_pass_in_natural_training_and_no_second_wait_for_the_device()
    {
        var recording = new RecordingBackend(new Kernels.Cpu.CpuBackend(1));
        using (var model = new FivePixels(recording))
        {
            recording.Clear();
            model.Step(FivePixels.Options(DomAction.Remove) with { ThresholdKind = ThresholdKind.Mean });
            int Count<T>() => recording.Calls.Count(call => call.Type == typeof(T));
            Assert.That((Count<SoftmaxCrossEntropyStep>(), Count<LossThreshold>()), Is.EqualTo((2, 1)), "losses, then mask and gradient");
            int fixedCalls = recording.Calls.Count;
            recording.Clear();
            model.Step(FivePixels.Options(DomAction.Remove));
            Assert.That(Count<SoftmaxCrossEntropyStep>(), Is.EqualTo(1));
            Assert.That(fixedCalls - recording.Calls.Count, Is.EqualTo(2), "all else is the same, the network's calls above all");
        }
    }

    private static void ShouldKeep(ThresholdKind kind, double factor, AttackKind attack, DomMode mode, double[] keep)
    {
        using var model = new FivePixels();
        var outcome = model.Step(FivePixels.Options(DomAction.Remove, mode, attack) with { ThresholdKind = kind, ThresholdFactor = factor, Threshold = 1000 });
        outcome.ShouldTrainOn(Array.ConvertAll(FivePixels.Pixels, x => FivePixels.Attacked(x, attack)), Array.ConvertAll(keep, k => k / 5));
        Assert.That(outcome.Figures.Kept, Is.EqualTo((int)keep.Sum()));
    }
}
