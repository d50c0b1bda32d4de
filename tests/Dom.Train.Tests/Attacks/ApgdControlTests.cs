using Dom.Train.Attacks;

namespace Dom.Train.Tests.Attacks;

public sealed class ApgdControlTests
{
    [Test]
    public void Checkpoints_are_those_of_the_paper_and_the_authors_code()
    {
        Assert.Multiple(() =>
        {
            Assert.That(ApgdControl.Checkpoints(100), Is.EqualTo(new[] { 22, 41, 57, 70, 80, 87, 93, 99 }));
            Assert.That(ApgdControl.Checkpoints(50), Is.EqualTo(new[] { 11, 21, 30, 38, 45 }));
            Assert.That(ApgdControl.Checkpoints(20), Is.EqualTo(new[] { 4, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 }));
            Assert.That(ApgdControl.Checkpoints(1), Is.EqualTo(new[] { 1 }));
        });
    }

    [Test]
    public void A_loss_that_always_rises_keeps_its_step() => Assert.That(Halvings(0, Enumerable.Range(1, 20)), Is.Empty);

    [Test]
    public void A_loss_that_never_rises_halves_its_step_at_every_checkpoint() =>
        Assert.That(Halvings(1, Enumerable.Repeat(1, 20)), Is.EqualTo(ApgdControl.Checkpoints(20)));

    // Three of four rises are not more than 75 %.
    [Test]
    public void A_share_of_rises_of_exactly_three_quarters_is_not_enough() => Assert.That(Halvings(0, [1, 2, 4, 3]), Is.EqualTo(new[] { 4 }));

    // The oldest comparison of the first checkpoint is with 0: a negative loss has not risen from there, and three rises of four remain.
    [TestCase(-10, 4)]
    [TestCase(1, 0)]
    public void The_first_step_has_risen_if_its_loss_is_above_zero(int first, int halvedAt) =>
        Assert.That(Halvings(first - 1, [first, first + 1, first + 2, first + 3]), Is.EqualTo(halvedAt == 0 ? [] : new[] { halvedAt }));

    // The start is the best, and the rises never reach it. At 4 nothing may be concluded; at 7 the step was kept and found nothing better; at 9 it had been
    // halved and gets its chance; at 10 it is the same as at 7.
    [Test]
    public void A_step_that_was_kept_and_found_nothing_better_is_halved() =>
        Assert.That(Halvings(100, [10, 20, 30, 40, 50, 60, 70, 80, 90, 95]), Is.EqualTo(new[] { 7, 10 }));

    [Test]
    public void Only_a_higher_loss_is_an_improvement()
    {
        var control = new ApgdControl([5, 5, 5, 5], 20, 1);
        Assert.That(control.Observe([4, 5, 6, float.NaN]).Improved, Is.EqualTo(new[] { 2 }));
        Assert.That(control.Best, Is.EqualTo(new[] { 5f, 5, 6, 5 }));
    }

    [Test]
    public void Every_sample_has_its_own_step()
    {
        var control = new ApgdControl([0, 1, 100], 20, 0.5f);
        for (int step = 1; step <= 7; step++)
            control.Observe([step, 1, 10 * step]);
        Assert.That(control.StepSizes, Is.EqualTo(new[] { 0.5f, 0.125f, 0.25f }));
    }

    /// <summary>After which of 20 steps the step size of a sample with the given losses is halved.</summary>
    private static List<int> Halvings(int start, IEnumerable<int> losses)
    {
        var control = new ApgdControl([start], 20, 1);
        var halvings = new List<int>();
        int step = 0;
        foreach (int loss in losses)
        {
            step++;
            float before = control.StepSizes[0];
            bool reset = control.Observe([loss]).Reset.Length > 0;
            Assert.That(control.StepSizes[0], Is.EqualTo(reset ? before / 2 : before));
            if (reset)
                halvings.Add(step);
        }
        return halvings;
    }
}
