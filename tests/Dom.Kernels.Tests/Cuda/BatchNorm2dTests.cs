using Dom.Kernels.Cuda;
using Dom.Kernels.Reference;
using Dom.Tensors;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>The paths of the GPU's batch norm: one and several tiles, many runs of rows, rows that are no whole packs.</summary>
public sealed class BatchNorm2dTests
{
    private CudaBackend _backend = null!;

    [OneTimeSetUp]
    public void Open() => _backend = Emulator.Open();

    [OneTimeTearDown]
    public void Close() => _backend?.Dispose();

    [Test]
    public void Tiles_and_runs_of_rows_give_what_the_reference_gives(
        [Values("30000x8", "1500x640", "300x132", "5000x3")] string size, [Values] bool relu)
    {
        int rows = int.Parse(size.Split('x')[0]), channels = int.Parse(size.Split('x')[1]);
        using var reference = new ReferenceBackend();
        float[][] expected = Cpu.BatchNorm2dTests.Run(reference, rows, channels, relu), actual = Cpu.BatchNorm2dTests.Run(_backend, rows, channels, relu);
        Assert.That(actual.Zip(expected, (a, e) => Cpu.Conv2dProblem.RelativeError(e, a)).Max(), Is.LessThan(2e-6));
    }

    [Test]
    public void Statistics_keep_their_digits_where_the_mean_is_a_thousand_times_the_standard_deviation()
    {
        using var scope = new TensorScope();
        const int Rows = 20_000, Channels = 4;
        var random = new Random(3);
        float[] values = Array.ConvertAll(new float[Rows * Channels], _ => 1000 + (float)random.NextDouble());
        double mean = Enumerable.Range(0, Rows).Average(r => (double)values[r * Channels]);
        double variance = Enumerable.Range(0, Rows).Average(r => Math.Pow(values[r * Channels] - mean, 2));
        Tensor ones = Filled(1), zeros = Filled(0), runningMean = Filled(0), runningVariance = Filled(0);
        Tensors.Ops.BatchNorm2d.Train(Tensor.From(values, Shape.Of(Rows, Channels), _backend), ones, zeros, (runningMean, runningVariance), momentum: 1);
        Assert.Multiple(() =>
        {
            Assert.That(runningMean.ToFloats()[0], Is.EqualTo(mean).Within(1e-4), "one rounding of a number near 1000");
            Assert.That(runningVariance.ToFloats()[0], Is.EqualTo(variance * Rows / (Rows - 1)).Within(1e-6 * variance));
        });

        Tensor Filled(float value) => Tensor.From([value, value, value, value], Shape.Of(Channels), _backend);
    }

    [Test]
    public void A_value_that_is_not_a_number_passes_the_fused_rectifier([Values(3, 64)] int channels)
    {
        using var scope = new TensorScope();
        var values = new float[128 * channels];
        values[channels + 1] = float.NaN;
        Tensor ones = Tensor.From(Enumerable.Repeat(1f, channels).ToArray(), Shape.Of(channels), _backend);
        Tensor zeros = Tensor.From(new float[channels], Shape.Of(channels), _backend);
        var y = Tensors.Ops.BatchNorm2d.Infer(Tensor.From(values, Shape.Of(128, channels), _backend), ones, zeros, (zeros, ones), relu: true).ToFloats();
        Assert.That(Array.FindAll(y, float.IsNaN), Has.Length.EqualTo(1));
        Assert.That(y[channels + 1], Is.NaN);
    }
}
