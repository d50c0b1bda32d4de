using Dom.Train.Optimizers;

namespace Dom.Train.Tests.Training;

public sealed class ScheduleTests
{
    // The DOM authors' schedule for 300 epochs of 391 steps: 0.1, divided by 10 after epochs 150 and 225.
    [TestCase(150.0, 0.1)]
    [TestCase(150.0 + 1.0 / 391, 0.01)]
    [TestCase(225.0, 0.01)]
    [TestCase(225.0 + 1.0 / 391, 0.001)]
    [TestCase(300.0, 0.001)]
    public void Piecewise_drops_just_after_one_half_and_three_quarters(double t, double expected) =>
        Assert.That(new Schedule(ScheduleKind.Piecewise, 0.1, 300).At(t), Is.EqualTo(expected).Within(1e-12));

    [TestCase(0.0, 0.0)]
    [TestCase(25.0, 0.1)]
    [TestCase(50.0, 0.2)]
    [TestCase(75.0, 0.1)]
    [TestCase(100.0, 0.0)]
    public void A_triangle_peaks_at_one_half_and_ends_at_zero(double t, double expected) =>
        Assert.That(new Schedule(ScheduleKind.Triangular, 0.2, 100).At(t), Is.EqualTo(expected).Within(1e-12));

    [TestCase(0.0, 0.1)]
    [TestCase(10.0, 0.05)]
    [TestCase(20.0, 0.0)]
    public void A_cosine_goes_from_the_given_rate_through_its_half_to_zero(double t, double expected) =>
        Assert.That(new Schedule(ScheduleKind.Cosine, 0.1, 20).At(t), Is.EqualTo(expected).Within(1e-12));
}
