using Dom.Train.Attacks;
using Dom.Train.Optimizers;

namespace Dom.Train.Tests.Training;

/// <summary>A learning rate is chosen apart from the paradigm: the paper's table 11 trains naturally with the triangle of RS-FGSM.</summary>
public sealed class SchedulesOfParadigmsTests
{
    [Test]
    public void Every_paradigm_takes_every_schedule(
        [Values(AttackKind.None, AttackKind.RsFgsm, AttackKind.Pgd)] AttackKind attack,
        [Values(ScheduleKind.Triangular, ScheduleKind.Piecewise)] ScheduleKind schedule)
    {
        using var runs = new Runs();
        string folder = runs.Finish("run", Runs.Small with { Attack = attack, Schedule = schedule, LearningRate = 0.06, Epochs = 4, EvaluationSteps = 1 });
        double[] expected = schedule == ScheduleKind.Triangular ? [0.03, 0.06, 0.03, 0] : [0.06, 0.06, 0.006, 0.0006];
        Assert.That(new Dom.Train.Training.RunFolder(folder).ReadMetrics().Select(epoch => epoch.LearningRate), Is.EqualTo(expected).Within(1e-12));
    }
}
