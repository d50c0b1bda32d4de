using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class LossThresholdTests(string device) : OperatorTest(device)
{
    // Mean 20 / 5 = 4.
    [TestCase(0.4, 1.6f, "0 1 1 0 1")]
    [TestCase(1, 4f, "0 0 1 0 1")]
    [TestCase(1.5, 6f, "0 0 1 0 0")]
    [TestCase(0.5, 2f, "0 0 1 0 1")]
    [TestCase(0, 0f, "1 1 1 1 1")]
    public void A_factor_of_the_mean(double factor, float expected, string above)
    {
        var (keep, threshold) = AdaptiveThreshold.OfMean(Of([1, 2, 10, 1.5f, 5.5f], 5), factor, LossComparison.KeepAbove);
        Assert.That(threshold.ToFloats()[0], Is.EqualTo(expected).Within(1e-6f));
        Assert.That(string.Join(' ', keep.ToFloats()), Is.EqualTo(above));
    }

    // In ascending order 1, 1.5, 2, 5.5, 10: place 4 share.
    [TestCase(0, 1f)]
    [TestCase(0.25, 1.5f)]
    [TestCase(0.4, 1.8f)]
    [TestCase(0.5, 2f)]
    [TestCase(0.9, 8.2f)]
    [TestCase(1, 10f)]
    public void A_quantile_lies_between_its_neighbours(double share, float expected)
    {
        var (keep, threshold) = AdaptiveThreshold.OfQuantile(Of([1, 2, 10, 1.5f, 5.5f], 5), share, LossComparison.KeepAtOrAbove);
        Assert.That(threshold.ToFloats()[0], Is.EqualTo(expected).Within(1e-6f));
        Assert.That(keep.ToFloats(), Is.EqualTo(new[] { 1, 2, 10, 1.5f, 5.5f }.Select(loss => loss >= threshold.ToFloats()[0] ? 1f : 0)));
    }

    [Test]
    public void A_loss_on_the_threshold_is_kept_by_the_inclusive_comparison_alone()
    {
        var losses = Of([3, 1, 2], 3);
        Assert.That(AdaptiveThreshold.OfQuantile(losses, 0.5, LossComparison.KeepAbove).Keep.ToFloats(), Is.EqualTo(new[] { 1f, 0, 0 }));
        Assert.That(AdaptiveThreshold.OfQuantile(losses, 0.5, LossComparison.KeepAtOrAbove).Keep.ToFloats(), Is.EqualTo(new[] { 1f, 0, 1 }));
    }

    [Test]
    public void Quantiles_are_numpys()
    {
        var losses = Enumerable.Range(0, 128).Select(i => 5 * RandomStream.For(3, RandomPurpose.Test).Uniform(i)).ToArray();
        double[] shares = [0, 0.1, 0.37, 0.4, 0.5, 0.731, 0.99, 1];
        var expected = TorchOracle.Ask($"y = torch.tensor(np.quantile(x.numpy().astype(np.float64), [{string.Join(", ", shares.Select(s => $"{s}"))}]))", losses);
        var actual = shares.Select(share => AdaptiveThreshold.OfQuantile(Of(losses, 128), share, LossComparison.KeepAbove).Threshold.ToFloats()[0]);
        Assert.That(actual, Is.EqualTo(expected).Within(1e-6f));
    }

    [Test]
    public void One_loss_is_its_own_mean_and_every_quantile()
    {
        Assert.That(AdaptiveThreshold.OfMean(Of([3], 1), 1, LossComparison.KeepAbove).Threshold.ToFloats(), Is.EqualTo(new[] { 3f }));
        Assert.That(AdaptiveThreshold.OfQuantile(Of([3], 1), 0.4, LossComparison.KeepAbove).Threshold.ToFloats(), Is.EqualTo(new[] { 3f }));
    }

    [Test]
    public void What_makes_no_sense_is_refused()
    {
        var losses = Of([1, 2], 2);
        Assert.Multiple(() =>
        {
            Assert.That(() => AdaptiveThreshold.OfMean(losses, -1, LossComparison.KeepAbove), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => AdaptiveThreshold.OfMean(losses, double.NaN, LossComparison.KeepAbove), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => AdaptiveThreshold.OfQuantile(losses, 1.1, LossComparison.KeepAbove), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => AdaptiveThreshold.OfMean(losses, 1, LossComparison.KeepAll), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => AdaptiveThreshold.OfMean(Of([1, 2], 1, 2), 1, LossComparison.KeepAbove), Throws.TypeOf<ShapeException>().With.Message.Contains("[N]"));
            Assert.That(() => AdaptiveThreshold.OfMean(Of([], 0), 1, LossComparison.KeepAbove), Throws.TypeOf<ShapeException>().With.Message.Contains("at least one"));
        });
    }
}
