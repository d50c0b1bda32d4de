using Dom.Train.Attacks;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>SVHN's step-size ramp: alpha min((epoch + i / steps) / ramp, 1), epoch and step counted from 0.</summary>
public sealed class StepSizeRampTests
{
    private static readonly TrainOptions s_options = new() { Attack = AttackKind.Pgd, StepSize = 1, StepSizeRamp = 10 };

    [TestCase(0, 0, 0)]
    [TestCase(0, 2, 0.05)]
    [TestCase(1, 0, 0.1)]
    [TestCase(7, 3, 0.775)]
    [TestCase(9, 3, 0.975)]
    [TestCase(10, 0, 1)]
    [TestCase(50, 1, 1)]
    public void The_step_rises_linearly_and_stays(int epoch, int step, double expected)
    {
        var attack = s_options.TrainAttackAt(new StepPosition(epoch, step, Steps: 4));
        Assert.That(attack.StepSize * 255, Is.EqualTo(expected).Within(1e-6));
        Assert.That(attack with { StepSize = s_options.TrainAttack.StepSize }, Is.EqualTo(s_options.TrainAttack), "radius and all else stay");
    }

    [Test]
    public void Without_a_ramp_the_step_is_what_it_is_from_the_start() =>
        Assert.That((s_options with { StepSizeRamp = 0 }).TrainAttackAt(new StepPosition(0, 0, 4)), Is.EqualTo(s_options.TrainAttack));

    [Test]
    public void An_evaluation_is_not_weakened() => Assert.That(s_options.EvaluationAttack.StepSize * 255, Is.EqualTo(2).Within(1e-5));
}
