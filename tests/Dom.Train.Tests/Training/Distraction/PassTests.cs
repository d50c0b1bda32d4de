using Dom.Nn;
using Dom.Tensors;
using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training.Distraction;

/// <summary>How often the network is applied in a step, to how many images, and what batch norm does meanwhile.</summary>
public sealed class PassTests
{
    private const BatchNormMode Train = BatchNormMode.UpdateStatistics, Eval = BatchNormMode.RunningStatistics, Frozen = BatchNormMode.BatchStatisticsOnly;

    private static readonly ScriptedAugmentation s_threeQuarters = new((x, _, _) => 0.75f * x);

    [Test]
    public void Natural_training_looks_at_the_batch_and_at_every_try_and_then_trains() => Assert.That(
        Passes(FivePixels.Options(DomAction.Augment, DomMode.Code)), Is.EqualTo(new[] { (5, Train), (3, Train), (2, Train), (1, Train), (5, Train) }));

    [Test]
    public void Without_augmentation_natural_training_is_one_pass([Values(DomAction.Off, DomAction.Remove)] DomAction action) =>
        Assert.That(Passes(FivePixels.Options(action)), Is.EqualTo(new[] { (5, Train) }));

    [Test]
    public void Before_the_warm_up_is_over_augmentation_costs_nothing() =>
        Assert.That(Passes(FivePixels.Options(DomAction.Augment), new StepPosition(0, 1, 3)), Is.EqualTo(new[] { (5, Train) }));

    [Test]
    public void An_attack_comes_between_the_tries_and_the_training_pass() => Assert.That(
        Passes(FivePixels.Options(DomAction.Augment, DomMode.Paper, AttackKind.Pgd) with { DomTries = 1 }),
        Is.EqualTo(new[] { (5, Train), (2, Train), (5, Train), (5, Train), (5, Train) }), "natural, a try, two steps of PGD, training");

    [TestCase(BatchNormMode.RunningStatistics)]
    [TestCase(BatchNormMode.BatchStatisticsOnly)]
    public void All_but_the_training_pass_follow_the_option(BatchNormMode mode) => Assert.That(
        Passes(FivePixels.Options(DomAction.Augment) with { DomTries = 1, BatchNormInAttack = mode }), Is.EqualTo(new[] { (5, mode), (2, mode), (5, Train) }));

    // The authors' evaluation at the end of an epoch leaves the network in eval mode until the first training pass.
    [Test]
    public void In_code_mode_the_first_step_of_a_later_epoch_looks_with_running_statistics()
    {
        var options = FivePixels.Options(DomAction.Augment, DomMode.Code) with { DomTries = 1 };
        var first = new StepPosition(Epoch: 2, Step: 0, Steps: 3);
        Assert.Multiple(() =>
        {
            Assert.That(Passes(options, first), Is.EqualTo(new[] { (5, Eval), (3, Eval), (5, Train) }));
            Assert.That(Passes(options with { DomMode = DomMode.Paper }, first), Is.EqualTo(new[] { (5, Train), (2, Train), (5, Train) }));
            Assert.That(Passes(options with { BatchNormInAttack = Frozen }, first), Is.EqualTo(new[] { (5, Frozen), (3, Frozen), (5, Train) }));
        });
    }

    // Clean reference and two steps of the attack in evaluation mode, then clean and attacked images under one tape.
    [Test]
    public void Trades_attacks_in_evaluation_mode_and_trains_on_both_sides()
    {
        var options = FivePixels.Options(DomAction.Remove, attack: AttackKind.Pgd) with { Loss = LossKind.Trades };
        Assert.Multiple(() =>
        {
            Assert.That(Passes(options), Is.EqualTo(new[] { (5, Eval), (5, Eval), (5, Eval), (5, Train), (5, Train) }));
            Assert.That(Passes(options with { BatchNormInAttack = Train }), Is.EqualTo(Enumerable.Repeat((5, Train), 5)));
        });
    }

    private static (int Rows, BatchNormMode Mode)[] Passes(TrainOptions options, StepPosition? position = null)
    {
        var passes = new List<(int, BatchNormMode)>();
        using var model = new FivePixels(wrap: inner => new Watched(inner, passes));
        model.Step(options, s_threeQuarters, position: position);
        return [.. passes];
    }

    private sealed class Watched : Module
    {
        private readonly Module _inner;
        private readonly List<(int, BatchNormMode)> _passes;

        public Watched(Module inner, List<(int, BatchNormMode)> passes) => (_inner, _passes) = (Register("inner", inner), passes);

        public override Tensor Apply(Tensor x, Pass pass)
        {
            _passes.Add((x.Shape[0], pass.BatchNorm));
            return _inner.Apply(x, pass);
        }
    }
}
