using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests.Cpu;

public sealed class WinogradTests
{
    // The largest relative errors (root mean square) of the shapes below: y 2.0e-6, dx 2.0e-6, dweight 4.0e-6.
    private static readonly double[] Tolerances = [8e-6, 8e-6, 2e-5];

    private static readonly string[] Passes = ["y", "dx", "dweight"];

    // Batch, height, width, inputs, outputs, kernel height, kernel width, stride, padding.
    private static readonly Conv2dSizes[] Shapes =
    [
        new(1, 1, 1, 1, 1, 3, 3, 1, 1),        // one pixel
        new(1, 1, 1, 33, 5, 3, 3, 1, 2),       // one pixel, more padding than image
        new(2, 4, 4, 16, 16, 3, 3, 1, 1),      // exactly a tile
        new(3, 5, 7, 3, 5, 3, 3, 1, 1),        // tiles that hang over on both sides
        new(2, 9, 9, 20, 40, 3, 3, 1, 1),      // one pixel past two tiles
        new(4, 6, 5, 33, 65, 3, 3, 1, 1),      // one channel past a vector and past a block
        new(2, 8, 8, 64, 64, 3, 3, 1, 0),      // no padding: dx reads two pixels outside
        new(1, 3, 3, 7, 9, 3, 3, 1, 0),        // one output
        new(2, 7, 10, 17, 19, 3, 3, 1, 2),
        new(70, 3, 2, 8, 12, 3, 3, 1, 1),      // many images of one tile: more tiles than a block
        new(3, 16, 16, 48, 32, 3, 3, 1, 1),
        new(1, 5, 33, 130, 70, 3, 3, 1, 1),
        new(1, 4, 4, 4, 300, 3, 3, 1, 1),
        new(1, 4, 4, 300, 4, 3, 3, 1, 1),
        new(5, 12, 20, 96, 100, 3, 3, 1, 1),   // several batches of tiles in the gradient of weights
    ];

    [Test]
    public void All_passes_match_the_reference_on_every_vector_width(
        [ValueSource(nameof(Shapes))] Conv2dSizes sizes, [Values(128, 256, 512)] int bits)
    {
        var problem = new Conv2dProblem(sizes);
        using var cpu = Conv2dProblem.Backend(2, bits, ConvolutionMethod.Winograd);
        Assert.That(cpu.UsesWinograd(sizes));
        AssertClose(problem.Expected(), problem.Run(cpu), sizes.ToString());
    }

    [Test]
    public void Random_small_shapes_match_the_reference([Range(0, 39)] int seed)
    {
        var stream = RandomStream.For((ulong)seed, RandomPurpose.Test);
        int padding = stream.Below(0, 3);
        var sizes = new Conv2dSizes(
            Batch: 1 + stream.Below(1, 7),
            Height: Math.Max(1, 3 - 2 * padding) + stream.Below(2, 11),
            Width: Math.Max(1, 3 - 2 * padding) + stream.Below(3, 11),
            Inputs: 1 + stream.Below(4, 40),
            Outputs: 1 + stream.Below(5, 80),
            KernelHeight: 3, KernelWidth: 3, Stride: 1, padding);
        var problem = new Conv2dProblem(sizes);
        using var cpu = Conv2dProblem.Backend(2, 128 << stream.Below(6, 3), ConvolutionMethod.Winograd);
        AssertClose(problem.Expected(), problem.Run(cpu), sizes.ToString());
    }

    [Test]
    public void Any_number_of_threads_and_any_repetition_give_the_same_bits([ValueSource(nameof(Shapes))] Conv2dSizes sizes)
    {
        var problem = new Conv2dProblem(sizes);
        float[][]? first = null;
        foreach (int threads in new[] { 1, 2, 3, 8 })
        {
            using var cpu = Conv2dProblem.Backend(threads, 512, ConvolutionMethod.Winograd);
            for (int repetition = 0; repetition < 2; repetition++)
            {
                var results = problem.Run(cpu);
                first ??= results;
                for (int pass = 0; pass < results.Length; pass++)
                    Assert.That(results[pass].AsSpan().SequenceEqual(first[pass]), $"{Passes[pass]} differs on {threads} threads");
            }
        }
    }

    private static void AssertClose(float[][] expected, float[][] actual, string what)
    {
        Assert.Multiple(() =>
        {
            for (int pass = 0; pass < expected.Length; pass++)
            {
                double error = Conv2dProblem.RelativeError(expected[pass], actual[pass]);
                TestContext.Out.WriteLine($"{Passes[pass]} {error:E1} {what}");
                Assert.That(error, Is.LessThan(Tolerances[pass]), $"{Passes[pass]} of {what}");
            }
        });
    }
}
