using Dom.Train.Data;

namespace Dom.Train.Tests.Data;

public sealed class SubsetTests
{
    // One byte a picture, its row number: a row can be recognized after the selection.
    private static ImageSplit Split(params int[] labels) =>
        new(Enumerable.Range(0, labels.Length).Select(i => (byte)i).ToArray(), labels, 1, 1, 1);

    [Test]
    public void Classes_differ_by_at_most_one_sample()
    {
        var taken = Subset.TakeEvenly(Split(Enumerable.Range(0, 200).Select(i => i / 67).ToArray()), 3, 50, 1);
        Assert.That(taken.Labels.GroupBy(label => label).Select(group => group.Count()), Is.EquivalentTo(new[] { 17, 17, 16 }));
    }

    [Test]
    public void A_class_that_runs_out_leaves_its_places_to_the_others()
    {
        var taken = Subset.TakeEvenly(Split(0, 1, 1, 1, 1, 2, 2, 2, 2, 2), 3, 8, 1);
        Assert.That(taken.Labels, Is.EqualTo(new[] { 0, 1, 1, 1, 1, 2, 2, 2 }));
    }

    [Test]
    public void Samples_keep_their_order_and_their_labels()
    {
        var split = Split(Enumerable.Range(0, 100).Select(i => i * 7 % 10).ToArray());
        var taken = Subset.TakeEvenly(split, 10, 30, 3);
        Assert.Multiple(() =>
        {
            Assert.That(taken.Pixels, Is.Ordered.And.Unique);
            Assert.That(taken.Labels, Is.EqualTo(taken.Pixels.Select(row => split.Labels[row])));
        });
    }

    [Test]
    public void The_seed_decides_which_samples_are_taken()
    {
        var split = Split(Enumerable.Range(0, 100).Select(i => i % 10).ToArray());
        var first = Subset.TakeEvenly(split, 10, 20, 3).Pixels;
        Assert.Multiple(() =>
        {
            Assert.That(Subset.TakeEvenly(split, 10, 20, 3).Pixels, Is.EqualTo(first));
            Assert.That(Subset.TakeEvenly(split, 10, 20, 4).Pixels, Is.Not.EqualTo(first));
        });
    }

    [TestCase(11)]
    [TestCase(0)]
    [TestCase(-3)]
    public void A_count_that_cannot_be_taken_is_refused_with_the_number_there_is(int count) =>
        Assert.That(() => Subset.TakeEvenly(Split(new int[10]), 1, count, 0),
            Throws.InstanceOf<DataException>().With.Message.Contains("there are 10"));
}
