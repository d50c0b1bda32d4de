using Dom.Tensors;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Training;

public sealed class SquareScheduleTests
{
    private static readonly RandomStream s_stream = RandomStream.For(4, RandomPurpose.Attack);

    /// <summary>The first query of each share, and the last of the one before.</summary>
    private static readonly int[] s_first = [0, 11, 51, 201, 501, 1001, 2001, 4001], s_last = [10, 50, 200, 500, 1000, 2000, 4000, 4999];

    [TestCase(32, 32, new[] { 29, 20, 14, 10, 7, 5, 4, 3 })]
    [TestCase(64, 64, new[] { 57, 40, 29, 20, 14, 10, 7, 5 })]
    [TestCase(28, 28, new[] { 25, 18, 13, 9, 6, 4, 3, 2 })]
    [TestCase(2, 2, new[] { 2, 1, 1, 1, 1, 1, 1, 1 })]
    [TestCase(4, 100, new[] { 4, 4, 4, 4, 4, 3, 2, 2 })] // 17.9, 12.6, 8.9, 6.3, 4.5, 3.2, 2.2, 1.6 before the cut
    public void Sides_shrink_with_the_queries(int height, int width, int[] sides)
    {
        Assert.That(s_first.Select(q => SquareSchedule.Side(SquareSchedule.Share(0.8, q), height, width)), Is.EqualTo(sides));
        Assert.That(s_last.Select(q => SquareSchedule.Side(SquareSchedule.Share(0.8, q), height, width)), Is.EqualTo(sides));
    }

    [Test]
    public void The_share_is_halved_nine_times()
    {
        Assert.That(SquareSchedule.Share(0.8, 6000), Is.EqualTo(0.8 / 128));
        Assert.That(SquareSchedule.Share(0.8, 6001), Is.EqualTo(0.8 / 256));
        Assert.That(SquareSchedule.Share(0.8, 8001), Is.EqualTo(0.8 / 512));
        Assert.That(SquareSchedule.Share(0.8, 1_000_000), Is.EqualTo(0.8 / 512));
    }

    [TestCase(0.8, 29)]
    [TestCase(0.2, 14)]
    [TestCase(0.0125, 4)]
    public void Windows_reach_every_place_but_the_last(double share, int side)
    {
        var moves = Enumerable.Range(0, 4000).Select(q => SquareSchedule.Draw(s_stream with { Step = (uint)q }, share, 32, 32, 3)).ToArray();
        int places = 32 - side; // 0 .. places - 1; the place `places` would be inside too
        Assert.That(moves.Select(m => m.Side), Has.All.EqualTo(side));
        Assert.That(moves.Select(m => m.Top).Distinct().Order(), Is.EqualTo(Enumerable.Range(0, places)));
        Assert.That(moves.Select(m => m.Left).Distinct().Order(), Is.EqualTo(Enumerable.Range(0, places)));
    }

    [Test]
    public void A_window_as_large_as_the_shorter_side_lies_at_its_start()
    {
        var moves = Enumerable.Range(0, 200).Select(q => SquareSchedule.Draw(s_stream with { Step = (uint)q }, 0.8, 4, 100, 1)).ToArray();
        Assert.That(moves.Select(m => m.Top), Has.All.Zero);
        Assert.That(moves.Select(m => m.Left), Has.All.InRange(0, 95).And.Some.GreaterThan(90));
    }

    [Test]
    public void Signs_of_channels_are_fair_and_independent()
    {
        var signs = Enumerable.Range(0, 4000).Select(q => SquareSchedule.Draw(s_stream with { Step = (uint)q }, 0.1, 32, 32, 3).Signs).ToArray();
        Assert.That(signs.SelectMany(s => s).Distinct().Order(), Is.EqualTo(new[] { -1f, 1f }));
        // Eight patterns of three signs, 500 of each expected, standard deviation 21.
        var patterns = signs.GroupBy(s => (s[0], s[1], s[2])).Select(g => g.Count()).ToArray();
        Assert.That(patterns, Has.Length.EqualTo(8));
        Assert.That(patterns, Has.All.InRange(500 - 4 * 21, 500 + 4 * 21));
    }
}
