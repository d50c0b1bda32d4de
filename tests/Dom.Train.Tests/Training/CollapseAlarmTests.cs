using Dom.Train.Analysis;
using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed class CollapseAlarmTests
{
    // Robust test accuracy, training accuracy under the training attack.
    private static readonly (double Test, double Training)[] s_collapses = [(0.30, 0.35), (0.42, 0.45), (0.40, 0.50), (0.05, 0.90), (0.00, 0.95), (0.30, 0.60), (0.05, 0.95)];

    [Test]
    public void A_fall_is_noticed_once_however_long_the_run_goes_on()
    {
        var (state, signs) = Watch(CollapseResponse.Warn, s_collapses);
        Assert.That(signs, Is.EqualTo(new CollapseSign?[] { null, null, null, CollapseSign.Fall, null, null, null }));
        Assert.That((state.CollapseEpoch, state.LastRobust), Is.EqualTo((4, 0.05)));
    }

    [Test]
    public void A_network_that_never_was_robust_is_noticed_by_the_gap() =>
        Assert.That(Watch(CollapseResponse.Stop, [(0.05, 0.30), (0.06, 0.46), (0.07, 0.82)]).Signs, Is.EqualTo(new CollapseSign?[] { null, null, CollapseSign.Gap }));

    [Test]
    public void A_run_that_overfits_robustly_raises_no_alarm() =>
        Assert.That(Watch(CollapseResponse.Warn, [(0.50, 0.55), (0.45, 0.70), (0.40, 0.90), (0.35, 0.99)]).Signs, Is.All.Null);

    [Test]
    public void Nothing_is_looked_for_where_the_alarm_is_off_or_nothing_is_measured()
    {
        Assert.That(Watch(CollapseResponse.Off, s_collapses), Is.EqualTo((new RunState(), new CollapseSign?[7])).Using<(RunState State, CollapseSign?[] Signs)>(
            (a, b) => a.State == b.State && a.Signs.SequenceEqual(b.Signs)));
        var unmeasured = CollapseAlarm.Watch(new RunState(), Metrics(1, 0, 0) with { TestRobustAccuracy = null }, CollapseResponse.Warn, 10);
        Assert.That(unmeasured, Is.EqualTo((new RunState(), (CollapseSign?)null)));
    }

    [Test]
    public void The_sentence_has_the_figures()
    {
        Assert.That(CollapseAlarm.Describe(Metrics(4, 0.05, 0.9) with { Collapse = CollapseSign.Fall }, 0.4), Is.EqualTo(
            "Catastrophic overfitting in epoch 4: test accuracy under PGD-20 fell from 40.0 % to 5.0 %, while 90.0 % of the training images are right under the training attack."));
        Assert.That(CollapseAlarm.Describe(Metrics(4, 0.05, 0.9) with { Collapse = CollapseSign.Gap }, null), Does.Contain("90.0 % of the training images").And.Contain("guessing"));
    }

    [TestCase(AttackKind.RsFgsm, 20, CollapseResponse.Warn)]
    [TestCase(AttackKind.Fgsm, 20, CollapseResponse.Warn)]
    [TestCase(AttackKind.RsFgsm, 0, CollapseResponse.Off)]
    [TestCase(AttackKind.Pgd, 20, CollapseResponse.Off)]
    [TestCase(AttackKind.None, 20, CollapseResponse.Off)]
    public void Single_step_training_warns_where_nothing_else_is_said(AttackKind attack, int evaluationSteps, CollapseResponse expected) =>
        Assert.That(new TrainOptions { Attack = attack, EvaluationSteps = evaluationSteps }.EffectiveOnCollapse, Is.EqualTo(expected));

    [Test]
    public void Dom_starts_with_the_epoch_behind_the_collapse_and_only_where_it_is_the_response()
    {
        var options = new TrainOptions { Attack = AttackKind.RsFgsm, OnCollapse = CollapseResponse.Dom, Epochs = 10, Warmup = 8 };
        Assert.That(options.PolicyAt(new RunState()).Action, Is.EqualTo(DomAction.Off));
        foreach (var mode in Enum.GetValues<DomMode>())
        {
            var policy = (options with { DomMode = mode }).PolicyAt(new RunState { CollapseEpoch = 4, Epoch = 4 });
            Assert.That((policy.Action, policy.Threshold), Is.EqualTo((DomAction.Remove, 2f)));
            Assert.That(policy.IsActive(epoch: 4, step: 0, steps: 5), Is.True, "the fifth epoch, counted from 0");
        }
        Assert.That((options with { OnCollapse = CollapseResponse.Warn }).PolicyAt(new RunState { CollapseEpoch = 4 }).Action, Is.EqualTo(DomAction.Off));
        var removing = options with { Dom = DomAction.Remove };
        Assert.That(removing.PolicyAt(new RunState { CollapseEpoch = 4 }), Is.EqualTo(removing.Policy), "a run that has DOM keeps its own");
    }

    [Test]
    public void An_alarm_without_anything_to_see_is_refused()
    {
        Assert.That(() => new TrainOptions { OnCollapse = CollapseResponse.Stop }.Validate(), Throws.TypeOf<OptionException>().With.Message.Contains("--on-collapse"));
        Assert.That(() => new TrainOptions { OnCollapse = CollapseResponse.Off }.Validate(), Throws.Nothing);
        Assert.That(() => new TrainOptions { Attack = AttackKind.Fgsm, EvaluationSteps = 0, OnCollapse = CollapseResponse.Warn }.Validate(),
            Throws.TypeOf<OptionException>().With.Message.Contains("--eval-steps"));
    }

    private static (RunState State, CollapseSign?[] Signs) Watch(CollapseResponse response, (double Test, double Training)[] epochs)
    {
        var state = new RunState();
        var signs = new List<CollapseSign?>();
        for (int i = 0; i < epochs.Length; i++)
        {
            (state, var sign) = CollapseAlarm.Watch(state, Metrics(i + 1, epochs[i].Test, epochs[i].Training), response, classes: 10);
            signs.Add(sign);
        }
        return (state, [.. signs]);
    }

    private static EpochMetrics Metrics(int epoch, double test, double training) => new()
    {
        Epoch = epoch, LearningRate = 0.1, TrainLoss = 1, TrainAccuracy = 0.9, TrainRobustAccuracy = training, TestLoss = 1, TestAccuracy = 0.8, TestRobustAccuracy = test,
        RobustAttack = "PGD-20", HighConfidence = 0, Removed = 0, ImagesPerSecond = 1,
    };
}
