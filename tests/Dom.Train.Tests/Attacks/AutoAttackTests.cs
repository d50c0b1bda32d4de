using Dom.Tensors;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Attacks;

public sealed class AutoAttackTests
{
    private static readonly int[][] s_fooled = [[1, 4, 6], [0, 1], [], [7]];

    private ThresholdBench _bench = null!;

    [SetUp]
    public void Open() => _bench = new ThresholdBench();

    [TearDown]
    public void Close() => _bench.Dispose();

    [Test]
    public void Every_attack_sees_only_the_survivors_in_full_batches()
    {
        var ran = new List<ThresholdBench.Scripted>();
        var state = _bench.Evaluation(s_fooled, ran: ran).Run();
        Assert.Multiple(() =>
        {
            Assert.That(ran.Select(attack => attack.Kind), Is.EqualTo(AutoAttackOptions.Standard));
            Assert.That(ran[0].Batches, Is.EqualTo(new int[][] { [0, 1, 2], [3, 4, 5], [6, 7, 8] }), "9 is wrong on its clean image");
            Assert.That(ran[1].Batches, Is.EqualTo(new int[][] { [0, 2, 3], [5, 7, 8] }));
            Assert.That(ran[2].Batches, Is.EqualTo(new int[][] { [2, 3, 5], [7, 8] }));
            Assert.That(ran[3].Batches, Is.EqualTo(ran[2].Batches));
            Assert.That(state.Verdicts, Is.EqualTo("21..1.14.x"));
            Assert.That((state.Correct, state.RobustCount, state.AttacksDone), Is.EqualTo((9, 4, 4)));
            Assert.That(state.Tallies.Select(t => (t.Attack, t.Attacked, t.Fooled)), Is.EqualTo(new[]
            {
                (EvaluationAttackKind.ApgdCe, 9, 3), (EvaluationAttackKind.ApgdT, 6, 1), (EvaluationAttackKind.FabT, 5, 0), (EvaluationAttackKind.Square, 5, 1),
            }));
            Assert.That(state.LargestChange, Is.EqualTo(155 / 255.0).Within(1e-6), "from 50 to 205");
        });
    }

    [TestCase(true, 0)]
    [TestCase(false, 9)]
    public void What_an_attack_claims_is_not_believed_its_images_are_classified_once_more(bool claim, int fooled)
    {
        var state = _bench.Evaluation(kind => new ThresholdBench.Scripted(kind, claim ? [] : [.. Enumerable.Range(0, 10)]) { Claim = claim }).Run();
        Assert.That(state.Correct - state.RobustCount, Is.EqualTo(fooled));
    }

    [TestCase(0.5f, 0.6f)]
    [TestCase(1f, 1.01f)]
    [TestCase(1f, float.NaN)]
    public void An_attack_that_leaves_the_ball_or_the_range_of_pixels_ends_the_evaluation(float epsilon, float image)
    {
        var evaluation = _bench.Evaluation(kind => new ThresholdBench.Scripted(kind, [2]) { Change = x => epsilon < 1 ? x + image : image }, epsilon: epsilon);
        Assert.That(() => evaluation.Run(), Throws.InvalidOperationException.With.Message.Contains("APGD-CE left the ball"));
    }

    [Test]
    public void Nobody_left_is_no_batch()
    {
        var ran = new List<ThresholdBench.Scripted>();
        var state = _bench.Evaluation([[.. Enumerable.Range(0, 10)], [], [], []], ran: ran).Run();
        Assert.That(ran.Skip(1).Select(attack => attack.Batches.Count), Is.All.Zero);
        Assert.That((state.RobustCount, state.Tallies.Count), Is.EqualTo((0, 4)));
    }

    [Test]
    public void From_every_state_on_the_way_the_end_is_the_same()
    {
        var saved = new List<AutoAttackState>();
        var end = WithoutTime(_bench.Evaluation(s_fooled, saved: saved.Add).Run());
        Assert.That(saved, Has.Count.EqualTo(1 + 3 + 1 + 2 + 1 + 2 + 1 + 2 + 1), "the clean images, every batch, and the end of every attack");
        foreach (var state in saved)
        {
            var later = new List<AutoAttackState>();
            var resumed = WithoutTime(_bench.Evaluation(s_fooled, saved: later.Add).Run(state));
            AssertSame(resumed, end);
            Assert.That(later.Count, Is.EqualTo(saved.Count - 1 - saved.IndexOf(state)), "nothing is done twice");
        }
    }

    [Test]
    public void A_canceled_evaluation_loses_the_batch_under_way_only()
    {
        using var source = new CancellationTokenSource();
        AutoAttackState? last = null;
        var evaluation = _bench.Evaluation(s_fooled, saved: state =>
        {
            last = state;
            if (state.Tallies.Count == 2)
                source.Cancel();
        });
        Assert.That(() => evaluation.Run(cancel: source.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That((last!.AttacksDone, last.SamplesDone), Is.EqualTo((1, 4)), "one batch of the second attack");
        AssertSame(WithoutTime(_bench.Evaluation(s_fooled).Run(last)), WithoutTime(_bench.Evaluation(s_fooled).Run()));
    }

    [Test]
    public void A_state_of_another_split_or_of_other_attacks_is_refused()
    {
        Assert.That(() => _bench.Evaluation(s_fooled).Run(new AutoAttackState { Verdicts = "..." }), Throws.ArgumentException.With.Message.Contains("another split"));
        var other = new AutoAttackState { Verdicts = new string('.', 10), Tallies = [new AttackTally(EvaluationAttackKind.Square)] };
        Assert.That(() => _bench.Evaluation(s_fooled).Run(other), Throws.ArgumentException.With.Message.Contains("other attacks"));
    }

    [Test]
    public void Progress_tells_attack_batch_survivors_and_what_is_robust_so_far()
    {
        var seen = new List<AutoAttackProgress>();
        _bench.Evaluation(s_fooled, progress: seen.Add).Run();
        var lines = seen.Where(p => p.Within.Total == 2).Select(p => $"{p.Attack.Name()} {p.Batch}/{p.Batches} of {p.Attacked}: {p.Robust}/{p.Samples}");
        Assert.That(lines, Is.EqualTo(new[]
        {
            "APGD-CE 1/3 of 9: 8/10", "APGD-CE 2/3 of 9: 7/10", "APGD-CE 3/3 of 9: 6/10", "APGD-T 1/2 of 6: 5/10", "APGD-T 2/2 of 6: 5/10",
            "FAB-T 1/2 of 5: 5/10", "FAB-T 2/2 of 5: 5/10", "Square 1/2 of 5: 5/10", "Square 2/2 of 5: 4/10",
        }));
        Assert.That(seen[0].Left, Is.Null, "nothing to tell it from yet");
        Assert.That(seen[^1].Left, Is.Not.Null);
    }

    [Test]
    public void Square_that_fools_more_than_a_fifth_of_a_point_behind_the_others_is_a_warning()
    {
        Assert.That(AutoAttackChecks.Warnings(State(square: 3, before: 1)), Has.One.Contains("gradient masking: Square").And.One.Contains("0.3 points"));
        Assert.That(AutoAttackChecks.Warnings(State(square: 2, before: 1)), Is.Empty, "exactly 0.2 points");
        Assert.That(AutoAttackChecks.Warnings(State(square: 500, before: 0)), Is.Empty, "Square alone is behind nobody");

        static AutoAttackState State(int square, int before) => new()
        {
            Verdicts = new string('.', 1000),
            Tallies = [.. Enumerable.Repeat(new AttackTally(EvaluationAttackKind.ApgdCe, 1000), before), new AttackTally(EvaluationAttackKind.Square, 1000, square)],
        };
    }

    [Test]
    public void Missing_gradients_are_a_warning()
    {
        var state = _bench.Evaluation(kind => new ThresholdBench.Scripted(kind, []) { ZeroGradients = kind == EvaluationAttackKind.ApgdT ? 1 : 0 }).Run();
        Assert.That(AutoAttackChecks.Warnings(state), Has.Count.EqualTo(1).And.One.Contains("zero gradients: 3 of 9").And.One.Contains("APGD-T"));
    }

    [Test]
    public void Outputs_that_look_like_probabilities_are_a_warning()
    {
        Assert.That(_bench.Evaluation(s_fooled).Run().LooksLikeProbabilities, Is.False);
        using var bench = new ThresholdBench(scale: 0.5f, offset: 0);
        bench.Network.Parameters[1].Parameter.Value.CopyFrom([0.75f, 0.25f]); // 0.75 - x/2 and 0.25 + x/2: between 0 and 1, together 1
        var state = bench.Evaluation(s_fooled).Run();
        Assert.That(AutoAttackChecks.Warnings(state), Has.One.Contains("look like probabilities"));
    }

    [Test]
    public void Output_that_changes_is_a_warning()
    {
        using var scope = new TensorScope();
        Assert.That(IsRandomized(0), Is.False);
        Assert.That(IsRandomized(1e-5f), Is.False);
        Assert.That(IsRandomized(1e-3f), Is.True);
        Assert.That(AutoAttackChecks.Warnings(new AutoAttackState { IsRandomized = true }), Has.One.Contains("randomized output"));

        bool IsRandomized(float noise)
        {
            int call = 0;
            return AutoAttackChecks.IsRandomized(() => Tensor.From([1, 2 + noise * call++, 3, 4], Shape.Of(2, 2), _bench.Backend), [1, 1]);
        }
    }

    [Test]
    public void Options_that_make_no_sense_are_refused()
    {
        var options = new AutoAttackOptions { Budget = new AttackBudget(0.1f, 0) };
        Assert.Multiple(() =>
        {
            Assert.That(() => options.Validate(3), Throws.TypeOf<TooFewClassesException>().With.Message.Contains("3"));
            Assert.That(() => (options with { UsesMargin = true }).Validate(2), Throws.Nothing);
            Assert.That(() => (options with { Batch = 0 }).Validate(10), Throws.ArgumentException.With.Message.Contains("got 0"));
            Assert.That(() => (options with { Attacks = [] }).Validate(10), Throws.ArgumentException);
            Assert.That(() => (options with { Budget = new AttackBudget(-1, 0) }).Validate(10), Throws.ArgumentException.With.Message.Contains("-1"));
            Assert.That(() => (options with { Budget = new AttackBudget(float.NaN, 0) }).Validate(10), Throws.ArgumentException);
            Assert.That((options.IsStandard, (options with { UsesMargin = true }).IsStandard, (options with { Attacks = [EvaluationAttackKind.ApgdCe] }).IsStandard),
                Is.EqualTo((true, false, false)));
        });
    }

    private static AutoAttackState WithoutTime(AutoAttackState state) => state with { Tallies = [.. state.Tallies.Select(t => t with { Seconds = 0 })] };

    private static void AssertSame(AutoAttackState actual, AutoAttackState expected) => Assert.Multiple(() =>
    {
        Assert.That(actual.Tallies, Is.EqualTo(expected.Tallies));
        Assert.That(actual with { Tallies = [] }, Is.EqualTo(expected with { Tallies = [] }));
    });
}
