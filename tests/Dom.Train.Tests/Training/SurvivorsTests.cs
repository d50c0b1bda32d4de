using Dom.Train.Attacks;

namespace Dom.Train.Tests.Training;

public sealed class SurvivorsTests
{
    [Test]
    public void Batches_hold_all_rows_that_stand_first_and_come_in_at_most_sixteen_sizes()
    {
        var survivors = new Survivors(250); // a sixteenth, rounded up: 16
        var sizes = new HashSet<int>();
        foreach (int row in Enumerable.Range(0, 250).OrderBy(n => n * 101 % 250))
        {
            int[] batch = survivors.Batch();
            Assert.That(batch, Has.Length.EqualTo(survivors.BatchSize).And.Length.InRange(survivors.Count, survivors.Count + 15));
            Assert.That(batch.Take(survivors.Count).All(survivors.Stands), Is.True);
            Assert.That(batch.Skip(survivors.Count).Any(survivors.Stands), Is.False, "filled up with fallen ones");
            Assert.That(batch, Is.Unique);
            sizes.Add(batch.Length);
            survivors.Remove(row);
        }
        Assert.That(sizes, Has.Count.LessThanOrEqualTo(16));
        Assert.That(survivors.Count, Is.Zero);
        Assert.That(survivors.Batch(), Is.Empty);
    }

    [Test]
    public void A_row_falls_once()
    {
        var survivors = new Survivors(3);
        survivors.Remove(1);
        survivors.Remove(1);
        Assert.That(survivors.Count, Is.EqualTo(2));
        Assert.That(survivors.Batch(), Is.EqualTo(new[] { 0, 2 }));
    }
}
