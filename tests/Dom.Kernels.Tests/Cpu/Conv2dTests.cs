using Dom.Kernels.Cpu;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests.Cpu;

public sealed class Conv2dTests
{
    private const double Tolerance = 2e-6;

    // Batch, height, width, inputs, outputs, kernel height, kernel width, stride, padding.
    private static readonly Conv2dSizes[] Shapes =
    [
        new(1, 1, 1, 1, 1, 1, 1, 1, 0),
        new(2, 5, 5, 1, 1, 3, 3, 1, 1),
        new(2, 8, 8, 3, 16, 3, 3, 1, 1),       // a stem
        new(5, 6, 7, 16, 16, 3, 3, 1, 1),
        new(3, 7, 5, 17, 19, 3, 3, 1, 1),      // odd everything
        new(4, 4, 4, 33, 65, 3, 3, 1, 1),      // one past a tile, four images
        new(7, 3, 3, 64, 48, 3, 3, 1, 1),      // images left over after fours
        new(2, 9, 9, 20, 40, 3, 3, 2, 1),
        new(5, 8, 8, 12, 24, 3, 3, 2, 1),
        new(4, 7, 6, 5, 9, 1, 1, 2, 0),        // most input pixels are never read
        new(3, 6, 6, 9, 7, 1, 1, 1, 0),
        new(1, 11, 9, 4, 6, 5, 5, 1, 2),
        new(2, 12, 12, 3, 8, 7, 7, 2, 3),
        new(2, 9, 10, 6, 5, 1, 3, 1, 0),       // rectangular
        new(2, 9, 10, 6, 5, 5, 2, 3, 2),
        new(2, 4, 5, 3, 4, 2, 2, 3, 0),        // a stride beyond the kernel
        new(1, 1, 1, 8, 8, 3, 3, 1, 1),        // taps that meet only padding
        new(2, 2, 2, 3, 5, 5, 5, 1, 4),        // more padding than image
        new(6, 1, 1, 40, 10, 1, 1, 1, 0),      // a linear layer
        new(1, 5, 33, 8, 8, 3, 3, 1, 1),       // rows longer than a panel
        new(1, 3, 3, 300, 4, 3, 3, 1, 1),      // several chunks of input channels
        new(1, 3, 3, 4, 300, 3, 3, 1, 1),
        new(9, 2, 2, 130, 70, 3, 3, 1, 1),
        new(40, 2, 2, 2, 3, 2, 2, 1, 1),       // several slabs
        new(3, 16, 16, 70, 130, 1, 1, 2, 0),   // a shortcut: several runs of rows, which go on from image to image
        new(3, 9, 11, 6, 200, 1, 1, 2, 0),     // an odd height: rows of an image stay apart
        new(3, 16, 16, 130, 70, 1, 1, 2, 0),   // pixels that are packed for the weight gradient, columns past the last
        new(5, 9, 11, 200, 140, 1, 1, 2, 0),   // the same in two parts of the inputs, rows of an image apart
        new(18, 32, 32, 64, 3, 3, 3, 2, 1),    // images that no cache holds: the pixels of following tiles are fetched
        new(66, 16, 16, 64, 3, 3, 3, 2, 1),    // the same, tiles across images
        new(2, 2, 150, 5, 20, 1, 1, 1, 0),     // a row longer than a run
        new(2, 3, 3, 400, 330, 1, 1, 1, 0),    // blocks of input and of output channels
        new(2, 5, 4, 6, 7, 1, 1, 1, 2),        // pixels that are padding
        new(50, 1, 1, 9, 33, 1, 1, 1, 0),
        new(35, 9, 9, 2, 70, 3, 3, 2, 1),      // a stem with a stride, groups of several images
        new(2, 3, 70, 4, 16, 3, 3, 1, 1),
        new(1, 6, 5, 1, 5, 2, 4, 2, 1),
        new(5, 6, 7, 16, 64, 1, 1, 2, 0),      // lines of whole vectors, and pixels that no tap reaches
        new(4, 3, 3, 64, 32, 3, 3, 1, 1),
        new(2, 2, 2, 3, 4, 1, 1, 5, 1),        // outputs that read only padding, inputs that nobody reads
    ];

    private static readonly string[] Passes = ["y", "dx", "dweight"];

    [Test]
    public void All_passes_match_the_reference_on_every_vector_width(
        [ValueSource(nameof(Shapes))] Conv2dSizes sizes, [Values(128, 256, 512)] int bits)
    {
        var problem = new Conv2dProblem(sizes);
        using var cpu = Conv2dProblem.Backend(2, bits);
        AssertClose(problem.Expected(), problem.Run(cpu), sizes.ToString());
    }

    [Test]
    public void Random_small_shapes_match_the_reference([Range(0, 59)] int seed)
    {
        var stream = RandomStream.For((ulong)seed, RandomPurpose.Test);
        int kernelHeight = 1 + stream.Below(0, 5), kernelWidth = 1 + stream.Below(1, 5), padding = stream.Below(2, 4);
        var sizes = new Conv2dSizes(
            Batch: 1 + stream.Below(3, 7),
            Height: Math.Max(1, kernelHeight - 2 * padding) + stream.Below(4, 9),
            Width: Math.Max(1, kernelWidth - 2 * padding) + stream.Below(5, 9),
            Inputs: 1 + stream.Below(6, 20),
            Outputs: 1 + stream.Below(7, 36),
            kernelHeight, kernelWidth, Stride: 1 + stream.Below(8, 4), padding);
        var problem = new Conv2dProblem(sizes);
        using var cpu = Conv2dProblem.Backend(2, 128 << stream.Below(9, 3));
        AssertClose(problem.Expected(), problem.Run(cpu), sizes.ToString());
    }

    [Test]
    public void Any_number_of_threads_and_any_repetition_give_the_same_bits([ValueSource(nameof(Shapes))] Conv2dSizes sizes)
    {
        var problem = new Conv2dProblem(sizes);
        float[][]? first = null;
        foreach (int threads in new[] { 1, 2, 3, 8 })
        {
            using var cpu = Conv2dProblem.Backend(threads, 512);
            for (int repetition = 0; repetition < 2; repetition++)
            {
                var results = problem.Run(cpu);
                first ??= results;
                for (int pass = 0; pass < results.Length; pass++)
                    Assert.That(results[pass].AsSpan().SequenceEqual(first[pass]), $"{Passes[pass]} differs on {threads} threads");
            }
        }
    }

    [Test]
    public void Results_written_past_the_caches_have_the_same_bits(
        [ValueSource(nameof(Shapes))] Conv2dSizes sizes, [Values(128, 256, 512)] int bits)
    {
        var problem = new Conv2dProblem(sizes);
        using CpuBackend cached = new(2) { SimdWidth = (SimdWidth)bits, StreamFrom = long.MaxValue };
        using CpuBackend streaming = new(2) { SimdWidth = (SimdWidth)bits, StreamFrom = 0 };
        Assert.That(problem.Run(streaming), Is.EqualTo(problem.Run(cached)));
    }

    [Test]
    public void The_weight_gradient_of_a_large_batch_keeps_its_digits()
    {
        // 131,072 products per weight: a plain running sum would lose two digits. Groups of images are summed apart and then added.
        var problem = new Conv2dProblem(new Conv2dSizes(128, 32, 32, 64, 64, 3, 3, 1, 1));
        using var cpu = new CpuBackend(2) { Convolution = ConvolutionMethod.Direct };
        float[] dweight = problem.Run(cpu)[2];
        int[] sample = [.. Enumerable.Range(0, 48).Select(i => i * 7919 % dweight.Length)];
        float[] expected = [.. sample.Select(index => (float)problem.WeightGradientAt(index))];
        double error = Conv2dProblem.RelativeError(expected, [.. sample.Select(index => dweight[index])]);
        TestContext.Out.WriteLine($"relative error {error:E1}");
        Assert.That(error, Is.LessThan(5e-6));
    }

    [Test]
    public void After_the_first_call_of_a_size_nothing_is_allocated()
    {
        var sizes = new Conv2dSizes(4, 8, 8, 16, 16, 3, 3, 1, 1);
        using var cpu = Conv2dProblem.Backend(1, 512);
        using Tensor x = Zeros(4, 8, 8, 16), weight = Zeros(16, 3, 3, 16), y = Zeros(4, 8, 8, 16);
        void Step()
        {
            cpu.Run(new Conv2dForward(x.Read, weight.Read, y.Write, sizes));
            cpu.Run(new Conv2dInputGradient(y.Read, weight.Read, x.Write, sizes));
            cpu.Run(new Conv2dWeightGradient(x.Read, y.Read, weight.Write, sizes));
        }
        Step();
        Step(); // the runtime makes the comparer of the sizes, once in a process, at the first successful look-up
        long before = GC.GetAllocatedBytesForCurrentThread();
        Step();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        Tensor Zeros(params int[] shape)
        {
            var tensor = Tensor.Persistent(Shape.Of(shape), DType.F32, cpu, "test");
            tensor.CopyFrom(new float[tensor.Count]);
            return tensor;
        }
    }

    private static void AssertClose(float[][] expected, float[][] actual, string what)
    {
        Assert.Multiple(() =>
        {
            for (int pass = 0; pass < expected.Length; pass++)
                Assert.That(Conv2dProblem.RelativeError(expected[pass], actual[pass]), Is.LessThan(Tolerance), $"{Passes[pass]} of {what}");
        });
    }
}
