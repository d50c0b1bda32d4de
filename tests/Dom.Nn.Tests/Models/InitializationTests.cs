using Dom.Kernels.Cpu;
using Dom.Nn.Models;

namespace Dom.Nn.Tests.Models;

/// <summary>The distributions of first values, checked by moments that are within five standard errors.</summary>
public sealed class InitializationTests
{
    // PyTorch: kaiming_uniform_(a = sqrt 5) for weights and the same bound for biases come down to U(-1 / sqrt(fan in), 1 / sqrt(fan in)).
    [Test]
    public void Weights_of_a_preact_resnet_are_uniform_within_one_over_the_root_of_the_fan_in() => Assert.Multiple(() =>
    {
        foreach (var (name, shape, values) in FirstValues("preact-resnet8", seed: 3))
        {
            if (name.Contains("bn", StringComparison.Ordinal))
                continue;
            // linear.bias has the fan in of its layer, 64.
            double bound = 1 / Math.Sqrt(shape.Length == 1 ? 64 : shape[1..].Aggregate(1, (a, b) => a * b));
            Assert.That(values.Max(Math.Abs), Is.LessThanOrEqualTo(bound * (1 + 1e-6)), name);
            if (values.Length < 100)
                continue;
            Assert.That(values.Max(Math.Abs), Is.GreaterThan(bound * (1 - 20.0 / values.Length)), $"{name} reaches its bound");
            double variance = bound * bound / 3;
            Assert.That(Score(values, 0, variance), Is.LessThan(5), $"{name}: mean 0");
            Assert.That(Score(values.Select(v => v * v), variance, 4.0 / 45 * Math.Pow(bound, 4)), Is.LessThan(5), $"{name}: variance of a uniform number");
        }
    });

    [Test]
    public void Convolutions_of_a_wide_resnet_are_normal_with_the_fan_out_of_He() => Assert.Multiple(() =>
    {
        foreach (var (name, shape, values) in FirstValues("wide-resnet16-2", seed: 4).Where(p => p.Shape.Length == 4))
        {
            double variance = 2.0 / (shape[0] * shape[1] * shape[2]); // [outputs, rows, columns, inputs]
            Assert.That(Score(values, 0, variance), Is.LessThan(5), $"{name}: mean 0");
            Assert.That(Score(values.Select(v => v * v), variance, 2 * variance * variance), Is.LessThan(5), $"{name}: variance");
            // The fourth moment tells a normal number (3) from a uniform one (1.8); its own variance is 96 for a normal number.
            Assert.That(Score(values.Select(v => Math.Pow(v * v / variance, 2)), 3, 96), Is.LessThan(5), $"{name}: fourth moment");
        }
    });

    [TestCase("preact-resnet8")]
    [TestCase("wide-resnet16-2")]
    public void Batch_norms_start_as_the_identity(string model) => Assert.Multiple(() =>
    {
        foreach (var (name, _, values) in FirstValues(model, seed: 5).Where(p => p.Name.Contains("bn", StringComparison.Ordinal)))
            Assert.That(values, Is.All.EqualTo(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0), name);
    });

    [Test]
    public void The_classifier_of_a_wide_resnet_starts_without_a_bias() =>
        Assert.That(FirstValues("wide-resnet16-2", seed: 6).Single(p => p.Name == "fc.bias").Values, Is.All.Zero);

    [Test]
    public void The_same_seed_gives_the_same_values_and_another_seed_others()
    {
        var first = FirstValues("preact-resnet8", seed: 1)[0].Values;
        Assert.That(FirstValues("preact-resnet8", seed: 1)[0].Values, Is.EqualTo(first));
        Assert.That(FirstValues("preact-resnet8", seed: 2)[0].Values, Is.Not.EqualTo(first));
    }

    private static (string Name, int[] Shape, double[] Values)[] FirstValues(string model, ulong seed)
    {
        using var backend = new CpuBackend(1);
        using var network = new Network(ModelCatalog.Create(model, 32, 32, 3, 10), backend, seed);
        return [.. network.Parameters.Select(p => (p.Name, p.Parameter.Shape.ToArray(), p.Parameter.Value.ToDoubles()))];
    }

    /// <summary>How many standard errors the mean of the values is from what it should be.</summary>
    private static double Score(IEnumerable<double> values, double mean, double variance)
    {
        var list = values.ToArray();
        return Math.Abs(list.Average() - mean) / Math.Sqrt(variance / list.Length);
    }
}
