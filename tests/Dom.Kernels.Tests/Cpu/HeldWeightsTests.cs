using Dom.Kernels.Cpu;
using Dom.Kernels.Cpu.Simd;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Tests.Cpu;

/// <summary>Weights that somebody promised not to change: results stay the same, memory comes and goes with the promise.</summary>
public sealed class HeldWeightsTests
{
    // Batch, height, width, inputs, outputs, kernel height, kernel width, stride, padding.
    private static readonly Conv2dSizes[] s_sizes =
    [
        new(3, 9, 9, 20, 70, 3, 3, 2, 1),      // direct
        new(3, 8, 8, 130, 40, 1, 1, 2, 0),
        new(3, 8, 8, 33, 20, 3, 3, 1, 1),      // Winograd, many tiles for its channels
        new(2, 5, 6, 181, 170, 3, 3, 1, 1),    // Winograd, few tiles: several pieces of the source channels
        new(17, 7, 5, 172, 173, 3, 3, 1, 1),
    ];

    [Test]
    public void A_promise_changes_no_bit_of_any_call(
        [ValueSource(nameof(s_sizes))] Conv2dSizes sizes, [Values(128, 256, 512)] int bits, [Values(1, 3)] int threads)
    {
        using var backend = new CpuBackend(threads) { SimdWidth = (SimdWidth)bits };
        using var problem = new Layer(backend, sizes);
        float[][] expected = problem.Run();
        using (backend.HoldConstant(problem.Weight.Read))
            for (int call = 0; call < 3; call++)
                Assert.That(problem.Run(), Is.EqualTo(expected), $"call {call + 1}");
    }

    [Test]
    public void Weights_that_change_after_the_promise_has_ended_count([ValueSource(nameof(s_sizes))] Conv2dSizes sizes)
    {
        using var backend = new CpuBackend(2);
        using var problem = new Layer(backend, sizes);
        using (backend.HoldConstant(problem.Weight.Read))
            problem.Run();
        problem.Weight.CopyFrom([.. problem.Weight.ToFloats().Select(w => 0.5f - w)]);
        float[][] expected = problem.Run();
        using (backend.HoldConstant(problem.Weight.Read))
            Assert.That(problem.Run(), Is.EqualTo(expected));
    }

    [Test]
    public void Memory_is_taken_at_the_first_call_and_given_back_with_the_last_promise_over_the_weights()
    {
        using var backend = new CpuBackend(2);
        using var problem = new Layer(backend, s_sizes[3]);
        long tensors = backend.Memory.LiveBytes;
        var outer = backend.HoldConstant(problem.Weight.Read);
        Assert.That(backend.HeldWeightsBytes, Is.Zero);
        problem.Run();
        long held = backend.HeldWeightsBytes;
        Assert.That(held, Is.GreaterThan(0));
        using (backend.HoldConstant(problem.Weight.Read))
            problem.Run();
        Assert.That(backend.HeldWeightsBytes, Is.EqualTo(held), "the outer promise holds on");
        outer.Dispose();
        outer.Dispose();
        Assert.That(backend.HeldWeightsBytes, Is.Zero);
        Assert.That(backend.Memory.LiveBytes, Is.EqualTo(tensors));
    }

    [Test]
    public void A_promise_may_outlive_its_backend()
    {
        var backend = new CpuBackend(2);
        using var held = HoldAndRun(backend);
        Assert.That(backend.HeldWeightsBytes, Is.GreaterThan(0));
        backend.Dispose();
        Assert.That(backend.HeldWeightsBytes, Is.Zero);

        static IDisposable HoldAndRun(CpuBackend backend)
        {
            using var problem = new Layer(backend, s_sizes[3]);
            var held = backend.HoldConstant(problem.Weight.Read);
            problem.Run();
            return held;
        }
    }

    [Test]
    public void A_promise_over_other_memory_keeps_nothing()
    {
        using var backend = new CpuBackend(2);
        using var problem = new Layer(backend, s_sizes[0]);
        using var other = backend.HoldConstant(problem.X.Read);
        problem.Run();
        Assert.That(backend.HeldWeightsBytes, Is.Zero);
    }

    [Test]
    public void What_does_not_fit_the_limit_is_derived_in_every_call()
    {
        using var backend = new CpuBackend(2) { HeldWeightsLimit = 1000 };
        using var problem = new Layer(backend, s_sizes[3]);
        float[][] expected = problem.Run();
        using var held = backend.HoldConstant(problem.Weight.Read);
        Assert.That(problem.Run(), Is.EqualTo(expected));
        Assert.That(backend.HeldWeightsBytes, Is.Zero);
    }

    /// <summary>A convolution with operands in the memory of a backend.</summary>
    private sealed class Layer : IDisposable
    {
        private readonly IBackend _backend;
        private readonly Conv2dSizes _sizes;
        private readonly Tensor _dy, _y, _dx;

        public Layer(IBackend backend, Conv2dSizes sizes)
        {
            (_backend, _sizes) = (backend, sizes);
            int inputs = sizes.Batch * sizes.Height * sizes.Width * sizes.Inputs;
            int outputs = sizes.Batch * sizes.OutputHeight * sizes.OutputWidth * sizes.Outputs;
            (X, Weight, _dy) = (Draw(inputs, 1), Draw(sizes.Outputs * sizes.KernelHeight * sizes.KernelWidth * sizes.Inputs, 2), Draw(outputs, 3));
            (_y, _dx) = (Draw(outputs, 4), Draw(inputs, 5));
        }

        public Tensor X { get; }

        public Tensor Weight { get; }

        /// <summary>y and dx.</summary>
        public float[][] Run()
        {
            _backend.Run(new Conv2dForward(X.Read, Weight.Read, _y.Write, _sizes));
            _backend.Run(new Conv2dInputGradient(_dy.Read, Weight.Read, _dx.Write, _sizes));
            return [_y.ToFloats(), _dx.ToFloats()];
        }

        public void Dispose()
        {
            foreach (var tensor in new[] { X, Weight, _dy, _y, _dx })
                tensor.Dispose();
        }

        private Tensor Draw(int count, ulong seed)
        {
            var stream = RandomStream.For(seed, RandomPurpose.Test);
            var tensor = Tensor.Persistent(Shape.Of(count), DType.F32, _backend, "test");
            tensor.CopyFrom([.. Enumerable.Range(0, count).Select(i => stream.Uniform(i) - 0.5f)]);
            return tensor;
        }
    }
}
