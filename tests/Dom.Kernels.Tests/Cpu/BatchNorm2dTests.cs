using Dom.Kernels.Cpu;
using Dom.Kernels.Cpu.Simd;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Tests.Cpu;

/// <summary>The paths of the CPU's batch norm: joined rows, registers or cache for the sums, tails, stores through the caches and past them.</summary>
public sealed class BatchNorm2dTests
{
    // Joined rows (1, 16, 32 channels), a row of four vectors (64), more (96, 128), tails (3, 10, 100); blocks that are not full.
    private static readonly (int Rows, int Channels)[] s_sizes =
        [(64, 1), (1024, 16), (2050, 32), (600, 64), (1300, 64), (700, 96), (520, 128), (999, 3), (5000, 10), (700, 100), (7, 64), (3, 513)];

    [Test]
    public void Every_vector_width_gives_what_the_reference_gives(
        [ValueSource(nameof(s_sizes))] (int Rows, int Channels) size, [Values(128, 256, 512)] int bits, [Values] bool relu, [Values] bool streams)
    {
        using var reference = new ReferenceBackend();
        var expected = Run(reference, size.Rows, size.Channels, relu);
        using var backend = Backend(2, bits, streams);
        var actual = Run(backend, size.Rows, size.Channels, relu);
        Assert.That(actual.Zip(expected, (a, e) => Conv2dProblem.RelativeError(e, a)).Max(), Is.LessThan(2e-6));
    }

    [Test]
    public void Threads_and_the_way_of_writing_change_no_bit(
        [ValueSource(nameof(s_sizes))] (int Rows, int Channels) size, [Values(128, 256, 512)] int bits)
    {
        using var one = Backend(1, bits, streams: false);
        using var three = Backend(3, bits, streams: true);
        Assert.That(Run(three, size.Rows, size.Channels, relu: true), Is.EqualTo(Run(one, size.Rows, size.Channels, relu: true)));
    }

    [Test]
    public void A_value_that_is_not_a_number_passes_the_fused_rectifier([Values(3, 64)] int channels, [Values(128, 256, 512)] int bits)
    {
        using var backend = Backend(1, bits, streams: true);
        using var scope = new TensorScope();
        var values = new float[128 * channels];
        values[channels + 1] = float.NaN;
        var x = Tensor.From(values, Shape.Of(128, channels), backend);
        Tensor ones = Tensor.From(Filled(channels, 1), Shape.Of(channels), backend), zeros = Tensor.From(Filled(channels, 0), Shape.Of(channels), backend);
        var y = Tensors.Ops.BatchNorm2d.Infer(x, ones, zeros, (zeros, ones), relu: true).ToFloats();
        Assert.That(Array.FindAll(y, float.IsNaN), Has.Length.EqualTo(1));
        Assert.That(y[channels + 1], Is.NaN);
    }

    private static CpuBackend Backend(int threads, int bits, bool streams) =>
        new(threads) { SimdWidth = (SimdWidth)bits, StreamFrom = streams ? 0 : long.MaxValue };

    /// <summary>Result and the three gradients, in training and in evaluation.</summary>
    internal static float[][] Run(IBackend backend, int rows, int channels, bool relu)
    {
        using var scope = new TensorScope();
        var random = new Random(1);
        Tensor x = Draw(rows, channels, 3), dy = Draw(rows, channels, 0), gamma = Draw(channels, 1), beta = Draw(channels, 0.1f);
        Tensor mean = Draw(channels, 3), variance = Draw(channels, 2);
        var results = new List<float[]>();
        foreach (bool trains in new[] { true, false })
        {
            using var tape = new Tape(x, gamma, beta);
            var y = trains
                ? Tensors.Ops.BatchNorm2d.Train(x, gamma, beta, (mean.Share(), variance.Share()), relu: relu)
                : Tensors.Ops.BatchNorm2d.Infer(x, gamma, beta, (mean, variance), relu: relu);
            var gradients = tape.Gradient(y, dy);
            results.AddRange([y.ToFloats(), gradients[x].ToFloats(), gradients[gamma].ToFloats(), gradients[beta].ToFloats()]);
        }
        results.AddRange([mean.ToFloats(), variance.ToFloats()]);
        return [.. results];

        Tensor Draw(params object[] sizesAndOffset)
        {
            var sizes = sizesAndOffset[..^1].Cast<int>().ToArray();
            float offset = Convert.ToSingle(sizesAndOffset[^1], System.Globalization.CultureInfo.InvariantCulture);
            var values = new float[sizes.Aggregate(1, (a, b) => a * b)];
            for (int i = 0; i < values.Length; i++)
                values[i] = offset + (float)random.NextDouble() - 0.5f;
            return Tensor.From(values, Shape.Of(sizes), backend);
        }
    }

    private static float[] Filled(int count, float value)
    {
        var values = new float[count];
        Array.Fill(values, value);
        return values;
    }
}
