using Dom.Train.Analysis;

namespace Dom.Train.Tests.Analysis;

public sealed class ConfidenceJumpTests
{
    [Test]
    public void The_jump_compares_five_epochs_on_each_side_of_K_and_leaves_K_out()
    {
        // Epochs 1..14, K = 7: 2..6 are 0.1, 8..12 are 0.3; epochs 1, 7, 13 and 14 would spoil both means.
        double[] shares = [9, 0.1, 0.1, 0.1, 0.1, 0.1, 9, 0.3, 0.3, 0.3, 0.3, 0.3, 9, 9];
        var jump = ConfidenceJump.At(shares, 7)!;
        Assert.That((jump.Before, jump.After, jump.Size), Is.EqualTo((0.1, 0.3, 0.2)).Using<(double, double, double)>(Close));
        Assert.That((jump.FirstBefore, jump.LastAfter), Is.EqualTo((2, 12)));
    }

    [Test]
    public void Near_the_ends_of_a_run_the_windows_are_shorter()
    {
        var jump = ConfidenceJump.At([0.2, 0.4, 0.5, 0.9], 3)!;
        Assert.That((jump.Before, jump.After, jump.Size), Is.EqualTo((0.3, 0.9, 0.6)).Using<(double, double, double)>(Close));
        Assert.That((jump.FirstBefore, jump.LastAfter), Is.EqualTo((1, 4)));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(3)]
    [TestCase(9)]
    public void Without_an_epoch_on_both_sides_there_is_no_jump(int warmup) => Assert.That(ConfidenceJump.At([0.1, 0.2, 0.3], warmup), Is.Null);

    private static bool Close((double A, double B, double C) x, (double A, double B, double C) y) =>
        Math.Abs(x.A - y.A) < 1e-12 && Math.Abs(x.B - y.B) < 1e-12 && Math.Abs(x.C - y.C) < 1e-12;
}
