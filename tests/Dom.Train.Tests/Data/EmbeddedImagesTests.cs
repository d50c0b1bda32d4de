using Dom.Train.Data;

namespace Dom.Train.Tests.Data;

public sealed class EmbeddedImagesTests
{
    [Test]
    public void The_set_has_the_sizes_that_were_asked_for_and_ten_balanced_classes()
    {
        var set = EmbeddedImages.Create(200, 100, 1);
        Assert.Multiple(() =>
        {
            Assert.That(set.Name, Is.EqualTo("embedded"));
            Assert.That((set.Train.Count, set.Train.Height, set.Train.Width, set.Train.Channels), Is.EqualTo((200, 16, 16, 3)));
            Assert.That(set.Test.Count, Is.EqualTo(100));
            Assert.That(set.Train.Pixels, Has.Length.EqualTo(200 * 768));
            Assert.That(set.ClassNames, Has.Count.EqualTo(10).And.Unique);
            Assert.That(set.Train.Labels.GroupBy(label => label).Select(group => group.Count()), Is.EqualTo(Enumerable.Repeat(20, 10)));
        });
    }

    [Test]
    public void A_sample_is_the_same_whatever_the_count()
    {
        var small = EmbeddedImages.Create(30, 20, 5);
        var large = EmbeddedImages.Create(90, 80, 5);
        Assert.Multiple(() =>
        {
            Assert.That(large.Train.Pixels.Take(small.Train.Pixels.Length), Is.EqualTo(small.Train.Pixels));
            Assert.That(large.Test.Pixels.Take(small.Test.Pixels.Length), Is.EqualTo(small.Test.Pixels));
        });
    }

    [Test]
    public void Another_seed_draws_other_pictures() =>
        Assert.That(EmbeddedImages.Create(10, 10, 1).Hash(), Is.Not.EqualTo(EmbeddedImages.Create(10, 10, 2).Hash()));

    [Test]
    public void No_picture_occurs_twice_not_even_in_the_other_split()
    {
        var set = EmbeddedImages.Create(500, 500, 3);
        var pictures = new[] { set.Train, set.Test }
            .SelectMany(split => Enumerable.Range(0, split.Count).Select(i => Convert.ToHexString(split.Image(i))));
        Assert.That(pictures, Is.Unique);
    }

    // Guards recorded runs: if the drawing changes, accuracies printed in the documentation no longer hold.
    [Test]
    public void The_pixels_of_seed_0_are_the_recorded_ones() =>
        Assert.That(EmbeddedImages.Create(100, 50, 0).Hash(), Is.EqualTo("d83b1d2d37666581e2c66ae15d58ba1e76fed792b589688d22a7b0e0f5f616e2"));

    [Test]
    public void Average_color_does_not_tell_the_class()
    {
        var split = EmbeddedImages.Create(2000, 10, 7).Train;
        var means = Enumerable.Range(0, 10)
            .Select(label => Enumerable.Range(0, split.Count).Where(i => split.Labels[i] == label)
                .Average(i => split.Image(i).ToArray().Average(value => value)))
            .ToArray();
        // 200 pictures a class, sd of a picture's mean about 35: a class mean has sd 2.5, the range of ten stays below 15.
        Assert.That(means.Max() - means.Min(), Is.LessThan(15));
    }

    [TestCase(0, 10)]
    [TestCase(10, -1)]
    public void A_count_below_one_is_refused(int train, int test) =>
        Assert.That(() => EmbeddedImages.Create(train, test, 0), Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("1 to 1,000,000"));
}
