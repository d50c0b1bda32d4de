using Dom.Train.Data;

namespace Dom.Train.Tests.Data;

public sealed class LabelNoiseTests
{
    private static ImageSplit Split(int count, int classes) =>
        new(new byte[count], Enumerable.Range(0, count).Select(i => i % classes).ToArray(), 1, 1, 1);

    [TestCase(1000, 0.2, 200)]
    [TestCase(1001, 0.5, 501)]
    [TestCase(10, 0, 0)]
    [TestCase(10, 1, 10)]
    public void Exactly_the_rounded_share_of_the_labels_is_wrong(int count, double share, int expected)
    {
        var noisy = LabelNoise.Apply(Split(count, 10), 10, share, 1);
        Assert.Multiple(() =>
        {
            Assert.That(Enumerable.Range(0, count).Count(noisy.HasWrongLabel), Is.EqualTo(expected));
            Assert.That(LabelNoise.EffectiveShare(noisy), Is.EqualTo((double)expected / count));
            Assert.That(noisy.TrueLabels, Is.EqualTo(Split(count, 10).Labels));
            Assert.That(noisy.Labels, Has.All.InRange(0, 9));
        });
    }

    [Test]
    public void Wrong_labels_are_uniform_over_the_other_classes()
    {
        var noisy = LabelNoise.Apply(Split(90_000, 10), 10, 1, 4);
        var shifts = Enumerable.Range(0, noisy.Count).Select(i => (noisy.Labels[i] - noisy.TrueLabels[i] + 10) % 10)
            .GroupBy(shift => shift).ToDictionary(group => group.Key, group => group.Count());
        // 10,000 expected in each of nine cells, sd 94.
        Assert.That(shifts.Keys.Order(), Is.EqualTo(Enumerable.Range(1, 9)));
        Assert.That(shifts.Values, Has.All.InRange(10_000 - 470, 10_000 + 470));
    }

    [Test]
    public void Labels_drawn_over_all_classes_leave_one_in_ten_right()
    {
        var noisy = LabelNoise.Apply(Split(50_000, 10), 10, 1, 4, LabelNoiseKind.UniformAll);
        Assert.That(LabelNoise.EffectiveShare(noisy), Is.EqualTo(0.9).Within(5 * Math.Sqrt(0.09 / 50_000)));
    }

    [Test]
    public void A_larger_share_contains_the_wrong_labels_of_a_smaller_one()
    {
        var few = LabelNoise.Apply(Split(500, 10), 10, 0.1, 9);
        var many = LabelNoise.Apply(Split(500, 10), 10, 0.4, 9);
        foreach (int row in Enumerable.Range(0, 500).Where(few.HasWrongLabel))
            Assert.That(many.Labels[row], Is.EqualTo(few.Labels[row]));
    }

    [Test]
    public void The_same_seed_gives_the_same_labels_and_another_seed_others()
    {
        var first = LabelNoise.Apply(Split(500, 10), 10, 0.3, 9);
        Assert.Multiple(() =>
        {
            Assert.That(LabelNoise.Apply(Split(500, 10), 10, 0.3, 9).Labels, Is.EqualTo(first.Labels));
            Assert.That(LabelNoise.Apply(Split(500, 10), 10, 0.3, 10).Labels, Is.Not.EqualTo(first.Labels));
        });
    }

    [Test]
    public void The_given_split_is_left_as_it_was()
    {
        var split = Split(100, 10);
        LabelNoise.Apply(split, 10, 1, 0);
        Assert.That(split.Labels, Is.EqualTo(Split(100, 10).Labels));
    }

    [TestCase(-0.1)]
    [TestCase(1.5)]
    [TestCase(double.NaN)]
    public void A_share_outside_0_to_1_is_refused(double share) =>
        Assert.That(() => LabelNoise.Apply(Split(10, 10), 10, share, 0),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("0..1"));

    [Test]
    public void One_class_has_no_wrong_label() =>
        Assert.That(() => LabelNoise.Apply(Split(10, 1), 1, 0.5, 0),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("2 are needed"));
}
