using Dom.Kernels.Conformance;
using Dom.Kernels.Cpu;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests.Cpu;

public sealed class WinogradTests
{
    // Relative errors as root mean squares; measured on the shapes below: y at most 4.6E-6, dx 3.2E-6, dweight 1.7E-6.
    private static readonly double[] Tolerances = [1e-5, 1e-5, 1e-5];

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
        ManyTiles,
        .. FewTiles,
        .. Strided,
    ];

    private static Conv2dSizes[] Strided =>
    [
        new(1, 1, 1, 1, 1, 3, 3, 2, 1),        // one pixel
        new(2, 8, 8, 16, 16, 3, 3, 2, 1),      // exactly a tile
        new(3, 9, 7, 3, 5, 3, 3, 2, 1),        // odd sides: tiles that hang over, outputs that read padding behind the last row
        new(2, 2, 17, 20, 40, 3, 3, 2, 1),
        new(4, 6, 5, 33, 65, 3, 3, 2, 1),      // one channel past a vector and past a block
        new(70, 5, 2, 8, 12, 3, 3, 2, 1),      // many images of one tile: more tiles than a block
        new(3, 16, 24, 48, 32, 3, 3, 2, 1),
        new(2, 7, 33, 130, 70, 3, 3, 2, 1),
        new(5, 24, 20, 96, 100, 3, 3, 2, 1),   // several batches of tiles in the gradient of weights
        ManyStridedTiles,
        .. FewStridedTiles,
    ];

    /// <summary>Groups of tiles in the gradient of weights, the last of them short.</summary>
    private static Conv2dSizes ManyStridedTiles => new(17, 57, 64, 5, 34, 3, 3, 2, 1);

    private static Conv2dSizes[] FewStridedTiles => [new(1, 8, 8, 128, 160, 3, 3, 2, 1), new(17, 7, 11, 172, 173, 3, 3, 2, 1), new(3, 11, 12, 40, 800, 3, 3, 2, 1)];

    private static Conv2dSizes[] FewTilesOfAnyStride => [.. FewTiles, .. FewStridedTiles];

    /// <summary>Groups of tiles in the gradient of weights, the last of them short; two blocks of outputs.</summary>
    private static Conv2dSizes ManyTiles => new(17, 29, 32, 5, 70, 3, 3, 1, 1);

    private static Conv2dSizes[] FewTiles =>
    [
        new(1, 4, 4, 192, 160, 3, 3, 1, 1),    // one tile
        new(2, 5, 6, 181, 170, 3, 3, 1, 1),    // whole and broken vectors and blocks of channels
        new(17, 7, 5, 172, 173, 3, 3, 1, 1),   // more tiles than go into a run of products
        new(3, 6, 6, 40, 800, 3, 3, 1, 0),     // more blocks than threads
    ];

    [Test]
    public void Many_channels_and_few_tiles_transform_the_weights_where_they_are_used(
        [ValueSource(nameof(FewTilesOfAnyStride))] Conv2dSizes sizes, [Values] bool inputGradient)
    {
        var map = inputGradient ? WinogradMap.InputGradient(sizes) : WinogradMap.Forward(sizes);
        Assert.That(new WinogradPlan(map, SimdSupport.Widest).HasFewTiles);
        Assert.That(new WinogradPlan(map with { Batch = 4096 }, SimdSupport.Widest).HasFewTiles, Is.False);
    }

    [Test]
    public void Many_channels_and_few_tiles_finish_the_weight_gradient_by_blocks(
        [ValueSource(nameof(FewTilesOfAnyStride))] Conv2dSizes sizes, [Values(1, 4096)] int batch)
    {
        var map = WinogradMap.Forward(sizes) with { Batch = batch };
        Assert.That(new WinogradWeightGradientPlan(map, SimdSupport.Widest).FinishesByBlocks, Is.EqualTo(batch == 1));
    }

    [Test]
    public void Few_channels_and_many_tiles_sum_the_weight_gradient_by_groups_of_tiles([Values(1, 2)] int stride)
    {
        var map = WinogradMap.Forward(stride == 1 ? ManyTiles : ManyStridedTiles);
        var plan = new WinogradWeightGradientPlan(map, SimdSupport.Widest);
        Assert.That(plan.Groups, Is.GreaterThan(1));
        Assert.That(map.Tiles % plan.TilesPerGroup, Is.Not.Zero);
        Assert.That(new WinogradWeightGradientPlan(map with { Batch = 1 }, SimdSupport.Widest).Groups, Is.Zero);
        Assert.That(new WinogradWeightGradientPlan(map with { SourceChannels = 100, TargetChannels = 64 }, SimdSupport.Widest).Groups, Is.InRange(1, plan.Groups - 1));
        Assert.That(new WinogradWeightGradientPlan(map with { SourceChannels = 256, TargetChannels = 256 }, SimdSupport.Widest).Groups, Is.Zero);
    }

    [Test]
    public void All_passes_match_the_reference_on_every_vector_width(
        [ValueSource(nameof(Shapes))] Conv2dSizes sizes, [Values(128, 256, 512)] int bits)
    {
        var problem = new Conv2dProblem(sizes);
        using var cpu = Conv2dProblem.Backend(2, bits, ConvolutionMethod.Winograd);
        Assert.That(cpu.UsesWinograd(sizes));
        AssertClose(problem.Expected(), problem.Run(cpu), sizes.ToString());
    }

    private static IEnumerable<KernelCase> ConvolutionCases =>
        KernelCases.AllFor(ConvolutionMethod.Winograd).Where(c => c.Type == DType.F32 && c.Call.Name.StartsWith("Conv2d", StringComparison.Ordinal));

    [TestCaseSource(nameof(ConvolutionCases))]
    public void Conformance_cases_of_convolutions_pass_with_it_wherever_it_applies(KernelCase kernelCase)
    {
        using var cpu = new CpuBackend(2) { Convolution = ConvolutionMethod.Winograd };
        var result = kernelCase.RunOn(cpu);
        TestContext.Out.WriteLine($"{kernelCase}: {result.Error:E1} of {kernelCase.Tolerance:E0}");
        Assert.That(result.Passed, Is.True, result.Message);
    }

    [Test]
    public void Random_small_shapes_match_the_reference([Range(0, 39)] int seed, [Values(1, 2)] int stride)
    {
        var stream = RandomStream.For((ulong)seed, RandomPurpose.Test);
        int padding = stride == 1 ? stream.Below(0, 3) : 1;
        var sizes = new Conv2dSizes(
            Batch: 1 + stream.Below(1, 7),
            Height: Math.Max(1, 3 - 2 * padding) + stream.Below(2, 11),
            Width: Math.Max(1, 3 - 2 * padding) + stream.Below(3, 11),
            Inputs: 1 + stream.Below(4, 40),
            Outputs: 1 + stream.Below(5, 80),
            KernelHeight: 3, KernelWidth: 3, stride, padding);
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

    [Test]
    public void After_the_first_call_of_a_size_nothing_is_allocated()
    {
        var sizes = new Conv2dSizes(4, 8, 8, 16, 16, 3, 3, 1, 1);
        using var cpu = Conv2dProblem.Backend(1, 512, ConvolutionMethod.Winograd);
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

    [Test]
    public void The_weight_gradient_of_a_large_batch_keeps_its_digits([Values(1, 2)] int stride)
    {
        // 131,072 products per weight, as 8,192 tiles in a plane. Measured: 3.5E-6, where the direct way has 2.4E-7.
        var problem = new Conv2dProblem(new Conv2dSizes(128, 32, 32, 64, 64, 3, 3, stride, 1));
        using var cpu = Conv2dProblem.Backend(2, 512, ConvolutionMethod.Winograd);
        float[] dweight = problem.Run(cpu)[2];
        int[] sample = [.. Enumerable.Range(0, 48).Select(i => i * 7919 % dweight.Length)];
        float[] expected = [.. sample.Select(index => (float)problem.WeightGradientAt(index))];
        double error = Conv2dProblem.RelativeError(expected, [.. sample.Select(index => dweight[index])]);
        TestContext.Out.WriteLine($"relative error {error:E1}");
        Assert.That(error, Is.LessThan(2e-5));
    }

    [TestCase(1, 1, 1, 0)]
    [TestCase(3, 3, 2, 0)]
    [TestCase(3, 3, 3, 1)]
    [TestCase(3, 3, 1, 3)]
    [TestCase(3, 1, 1, 1)]
    [TestCase(5, 5, 1, 2)]
    public void Where_it_does_not_apply_the_direct_way_gives_its_bits(int kernelHeight, int kernelWidth, int stride, int padding)
    {
        var sizes = new Conv2dSizes(2, 9, 8, 40, 36, kernelHeight, kernelWidth, stride, padding);
        var problem = new Conv2dProblem(sizes);
        using var winograd = Conv2dProblem.Backend(2, 512, ConvolutionMethod.Winograd);
        using var direct = Conv2dProblem.Backend(2, 512, ConvolutionMethod.Direct);
        Assert.That(winograd.UsesWinograd(sizes), Is.False);
        Assert.That(problem.Run(winograd), Is.EqualTo(problem.Run(direct)));
    }

    [TestCase(64, 32, 64, 1, true)]    // the layers of PreActResNet-18
    [TestCase(128, 16, 128, 1, true)]
    [TestCase(256, 8, 256, 1, true)]
    [TestCase(512, 4, 512, 1, true)]
    [TestCase(64, 32, 128, 2, true)]
    [TestCase(128, 16, 256, 2, true)]
    [TestCase(256, 8, 512, 2, false)]  // too few tiles to share the transformed weights
    [TestCase(3, 32, 64, 1, false)]    // its first one: three channels fill three lanes
    [TestCase(64, 1, 64, 1, false)]    // sixteen pixels computed for one that is kept
    public void The_default_takes_it_where_it_pays(int inputs, int side, int outputs, int stride, bool expected)
    {
        using var cpu = new CpuBackend(1);
        Assert.That(cpu.Convolution, Is.EqualTo(ConvolutionMethod.Auto));
        Assert.That(cpu.UsesWinograd(new Conv2dSizes(128, side, side, inputs, outputs, 3, 3, stride, 1)), Is.EqualTo(expected));
    }

    [Test]
    public void Results_written_past_the_caches_have_the_same_bits(
        [ValueSource(nameof(Shapes))] Conv2dSizes sizes, [Values(128, 256, 512)] int bits)
    {
        var problem = new Conv2dProblem(sizes);
        using var stores = new CpuBackend(2) { SimdWidth = (SimdWidth)bits, Convolution = ConvolutionMethod.Winograd, StreamFrom = long.MaxValue };
        using var streams = new CpuBackend(2) { SimdWidth = (SimdWidth)bits, Convolution = ConvolutionMethod.Winograd, StreamFrom = 0 };
        Assert.That(problem.Run(streams), Is.EqualTo(problem.Run(stores)));
    }

    [Test]
    public void Empty_operands_are_zeros_or_nothing()
    {
        var problem = new Conv2dProblem(new Conv2dSizes(0, 8, 8, 16, 16, 3, 3, 1, 1));
        using var cpu = Conv2dProblem.Backend(2, 512, ConvolutionMethod.Winograd);
        float[][] results = problem.Run(cpu);
        Assert.That(results[0], Is.Empty);
        Assert.That(results[2], Is.All.Zero);
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
