using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Augmentations;

namespace Dom.Train.Tests.Augmentations;

/// <summary>
/// What is drawn has the distribution that was promised: Pearson's chi-square of the counts stays below the value that chance exceeds once in a thousand. Seeds are fixed, so the tests
/// pass or fail for good.
/// </summary>
public sealed class DrawDistributionTests
{
    private const int Samples = 20_000;

    private static readonly Shape s_images = Shape.Of(Samples, 32, 32, 3);
    private static readonly int[] s_ids = [.. Enumerable.Range(0, Samples)];
    private static readonly RandomStream s_stream = RandomStream.For(11, RandomPurpose.Augmentation, epoch: 3, step: 12);

    /// <summary>Exceeded with p = 0.001, by degrees of freedom.</summary>
    private static readonly Dictionary<int, double> s_critical = new() { [1] = 10.828, [2] = 13.816, [5] = 20.515, [8] = 26.124, [12] = 32.909, [13] = 34.528, [19] = 43.820, [195] = 261.28 };

    private static ImageStep[] RandAugmentSteps => new RandAugment().Draw(s_images, s_ids, s_stream, 0, AugmentationDraw.Sample);

    private static (ImageStep[] Steps, float[] Weights) AugMixDraw => new AugMix().Draw(s_images, s_ids, s_stream, 0, AugmentationDraw.Sample);

    [Test]
    public void RandAugment_draws_every_pair_of_operations_equally_often() =>
        AssertUniform(RandAugmentSteps.Chunk(2).Select(pair => 14 * (int)pair[0].Operation + (int)pair[1].Operation), 196);

    [Test]
    public void RandAugment_draws_every_pair_of_operations_equally_often_over_the_steps_too() => AssertUniform(Enumerable.Range(0, Samples).Select(step =>
    {
        var pair = new RandAugment().Draw(Shape.Of(1, 32, 32, 3), [7], RandomStream.For(11, RandomPurpose.Augmentation, step: step), 0, AugmentationDraw.Batch);
        return 14 * (int)pair[0].Operation + (int)pair[1].Operation;
    }), 196);

    [Test]
    public void RandAugment_draws_both_signs_equally_often_where_there_is_one()
    {
        foreach (var steps in RandAugmentSteps.Where(s => Magnitudes.IsSigned(s.Operation)).GroupBy(s => s.Operation))
            AssertUniform(steps.Select(s => float.IsNegative(s.Magnitude) ? 1 : 0), 2);
        Assert.That(RandAugmentSteps.Where(s => !Magnitudes.IsSigned(s.Operation)), Has.None.Matches<ImageStep>(s => float.IsNegative(s.Magnitude)));
    }

    [Test]
    public void AugMix_draws_chains_of_one_two_and_three_operations_equally_often() =>
        AssertUniform(AugMixDraw.Steps.Chunk(3).Select(chain => chain.Count(s => s.Operation != ImageOperation.Identity) - 1), 3);

    [Test]
    public void AugMix_draws_each_of_its_operations_equally_often() =>
        AssertUniform(AugMixDraw.Steps.Where(s => s.Operation != ImageOperation.Identity).Select(s => (int)s.Operation - 1), 13);

    [Test]
    public void AugMix_draws_the_magnitudes_of_its_severity_with_both_signs_equally_often()
    {
        float[] table = [.. Enumerable.Range(0, 3).Select(bin => Magnitudes.AugMix.Step(ImageOperation.Rotate, bin, false, 32, 32).Magnitude)];
        AssertUniform(AugMixDraw.Steps.Where(s => s.Operation == ImageOperation.Rotate)
            .Select(s => 2 * Array.IndexOf(table, MathF.Abs(s.Magnitude)) + (float.IsNegative(s.Magnitude) ? 1 : 0)), 6);
    }

    [Test]
    public void The_weight_of_AugMixs_image_is_uniform() => AssertUniform(AugMixDraw.Weights.Chunk(4).Select(w => (int)(20 * (1 - w[0]))), 20);

    /// <summary>Dirichlet(1, 1, 1): means 1/3, variances 1/18, covariances -1/36, and each part is Beta(1, 2), with the distribution function 1 - (1 - x)².</summary>
    [Test]
    public void The_weights_of_AugMixs_chains_are_uniform_over_the_simplex()
    {
        double[][] parts = [.. AugMixDraw.Weights.Chunk(4).Where(w => w[0] < 1).Select(w => w[1..].Select(v => v / (1.0 - w[0])).ToArray())];
        for (int i = 0; i < 3; i++)
        {
            AssertUniform(parts.Select(p => (int)Math.Min(19, 20 * (1 - (1 - p[i]) * (1 - p[i])))), 20);
            // Five standard errors: of the mean sqrt(1/18 / N) = 0.0017; of products, whose kurtosis is below a normal's, less than 0.001.
            Assert.That(parts.Average(p => p[i]), Is.EqualTo(1 / 3.0).Within(0.0085));
            Assert.That(parts.Average(p => (p[i] - 1 / 3.0) * (p[i] - 1 / 3.0)), Is.EqualTo(1 / 18.0).Within(0.003));
            Assert.That(parts.Average(p => (p[i] - 1 / 3.0) * (p[(i + 1) % 3] - 1 / 3.0)), Is.EqualTo(-1 / 36.0).Within(0.003));
        }
        // Nine triangles of equal area: each third of the way along two sides.
        Assert.That(parts, Has.All.Matches<double[]>(p => Math.Abs(p.Sum() - 1) < 1e-6 && p.All(v => v >= 0)));
        AssertUniform(parts.Select(Triangle), 9);
    }

    /// <summary>Which of the nine congruent triangles of the simplex, by the thirds of the coordinates.</summary>
    private static int Triangle(double[] parts)
    {
        int a = Third(parts[0]), b = Third(parts[1]), c = Third(parts[2]);
        // Upright ones have a + b + c = 2, the three upside down 1.
        return a + b + c == 2 ? (a, b) switch { (2, 0) => 0, (0, 2) => 1, (0, 0) => 2, (1, 1) => 3, (1, 0) => 4, _ => 5 } : a == 1 ? 6 : b == 1 ? 7 : 8;

        static int Third(double v) => Math.Min(2, (int)(3 * v));
    }

    private static void AssertUniform(IEnumerable<int> draws, int outcomes)
    {
        var counts = new double[outcomes];
        foreach (int draw in draws)
            counts[draw]++;
        double expected = counts.Sum() / outcomes, statistic = counts.Sum(c => (c - expected) * (c - expected) / expected);
        Assert.That(expected, Is.GreaterThan(20), "too few draws for the test");
        TestContext.Out.WriteLine($"chi-square {statistic:F1} with {outcomes - 1} degrees of freedom, {counts.Sum()} draws");
        Assert.That(statistic, Is.LessThan(s_critical[outcomes - 1]), $"counts {string.Join(' ', counts)}");
    }
}
