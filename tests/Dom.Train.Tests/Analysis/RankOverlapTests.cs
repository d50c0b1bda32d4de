using Dom.Train.Analysis;

namespace Dom.Train.Tests.Analysis;

public sealed class RankOverlapTests
{
    private const float NaN = float.NaN;

    [Test]
    public void Equal_rankings_overlap_wholly_and_opposite_ones_in_no_group()
    {
        float[] rising = [.. Enumerable.Range(0, 20).Select(i => (float)i)];
        float[] squared = Array.ConvertAll(rising, x => x * x + 1); // another scale, the same order
        float[] falling = Array.ConvertAll(rising, x => -x);
        Assert.That(RankOverlap.Compute(rising, squared), Is.EqualTo(Enumerable.Repeat(1.0, 10)));
        Assert.That(RankOverlap.Compute(rising, falling), Is.EqualTo(Enumerable.Repeat(0.0, 10)));
    }

    [Test]
    public void A_known_permutation_has_the_overlap_counted_by_hand()
    {
        // By natural loss the groups are {0,1,2} {3,4,5} {6,7,8}; by adversarial loss {0,2,4} {1,3,6} {5,7,8}: shared are {0,2}, {3}, {7,8}.
        float[] natural = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        float[] adversarial = [10, 40, 20, 50, 30, 70, 60, 80, 90];
        Assert.That(RankOverlap.Compute(natural, adversarial, 3), Is.EqualTo(new[] { 2 / 3.0, 1 / 3.0, 2 / 3.0 }));
    }

    [Test]
    public void The_middle_group_of_an_odd_number_overlaps_with_itself_when_the_order_is_reversed()
    {
        float[] rising = [.. Enumerable.Range(0, 30).Select(i => (float)i)];
        Assert.That(RankOverlap.Compute(rising, Array.ConvertAll(rising, x => -x), 3), Is.EqualTo(new[] { 0.0, 1.0, 0.0 }));
    }

    [Test]
    public void Equal_losses_keep_the_order_of_their_ids_and_NaN_ranks_last() =>
        Assert.That(RankOverlap.StableOrder([2, NaN, 1, 2, float.PositiveInfinity, 1, NaN, float.NegativeInfinity, 2]), Is.EqualTo(new[] { 7, 2, 5, 0, 3, 8, 4, 1, 6 }));

    [Test]
    public void A_collapsed_loss_that_is_the_same_for_all_is_ranked_by_id()
    {
        float[] rising = [.. Enumerable.Range(0, 10).Select(i => (float)i)];
        Assert.That(RankOverlap.Compute(rising, new float[10]), Is.EqualTo(Enumerable.Repeat(1.0, 10)));
    }

    [Test]
    public void Groups_of_samples_that_cannot_be_divided_evenly_hold_all_of_them()
    {
        // 7 samples in 3 groups: ranks 0..1, 2..3, 4..6.
        float[] natural = [0, 1, 2, 3, 4, 5, 6], adversarial = [0, 2, 1, 3, 4, 5, 6];
        Assert.That(RankOverlap.Compute(natural, adversarial, 3), Is.EqualTo(new[] { 0.5, 0.5, 1.0 }));
    }

    [Test]
    public void Losses_that_do_not_fit_together_or_too_many_groups_are_refused()
    {
        Assert.That(() => RankOverlap.Compute([1, 2], [1], 1), Throws.ArgumentException.With.Message.Contains("2 natural losses but 1 adversarial"));
        Assert.That(() => RankOverlap.Compute([1, 2], [1, 2]), Throws.ArgumentException.With.Message.Contains("2 samples cannot be cut into 10 groups"));
        Assert.That(() => RankOverlap.Compute([1, 2], [1, 2], 0), Throws.ArgumentException);
    }
}
