namespace Dom.Train.Tests;

public sealed class NearestNameTests
{
    [TestCase("kitten", "sitting", 3)]
    [TestCase("", "abc", 3)]
    [TestCase("abc", "abc", 0)]
    [TestCase("mnsit", "mnist", 1)]
    [TestCase("flaw", "lawn", 2)]
    public void The_distance_counts_edits_and_swaps(string a, string b, int expected)
    {
        Assert.Multiple(() =>
        {
            Assert.That(NearestName.Distance(a, b), Is.EqualTo(expected));
            Assert.That(NearestName.Distance(b, a), Is.EqualTo(expected));
        });
    }

    [TestCase("--epoch", "--epochs")]
    [TestCase("--THRESHHOLD", "--threshold")]
    [TestCase("--lr", "--lr")]
    [TestCase("--frobnicate", null)]
    [TestCase("", null)]
    public void The_nearest_name_is_found_or_none_if_all_are_far(string asked, string? expected) =>
        Assert.That(NearestName.Of(asked, ["--epochs", "--threshold", "--lr", "--batch"]), Is.EqualTo(expected));

    [Test]
    public void A_hint_ends_the_sentence_either_way()
    {
        Assert.Multiple(() =>
        {
            Assert.That(NearestName.Hint("remov", ["off", "remove"]), Is.EqualTo("; did you mean 'remove'?"));
            Assert.That(NearestName.Hint("zzzzzz", ["off", "remove"]), Is.EqualTo("."));
        });
    }
}
