using Dom.Kernels.Reference;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

/// <summary>A convolution in mixed precision: kernels read a bf16 copy of the weight, the gradient is the f32 master's.</summary>
public sealed class Conv2dTests
{
    private ReferenceBackend _backend = null!;
    private TensorScope _scope = null!;

    [SetUp]
    public void Open()
    {
        _backend = new ReferenceBackend();
        _scope = new TensorScope();
    }

    [TearDown]
    public void Close()
    {
        _scope.Dispose();
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, "a tensor was leaked");
        _backend.Dispose();
    }

    [Test]
    public void The_gradient_of_a_master_weight_is_f32_and_free_of_the_rounding_that_a_cast_gives_it()
    {
        var (x, weight, seed) = Problem();
        var rounded = Cast.Apply(weight, DType.BF16);
        // The truth: the same rounded factors in f64, where nothing is rounded behind them.
        var exact = WeightGradient(Cast.Apply(x, DType.F64), Cast.Apply(rounded, DType.F64), Cast.Apply(seed, DType.F64), null).ToDoubles();
        var direct = WeightGradient(x, weight, seed, rounded);
        var behindACast = WeightGradient(x, weight, seed, null);
        double error = Error(direct, exact), errorOfTheCast = Error(behindACast, exact);
        TestContext.Out.WriteLine($"largest relative error {error:0.0e+0}, behind a cast {errorOfTheCast:0.0e+0}");
        Assert.Multiple(() =>
        {
            Assert.That((direct.Type, direct.Shape), Is.EqualTo((DType.F32, weight.Shape)));
            Assert.That(error, Is.LessThan(1e-7), "one rounding to f32 is off by 6e-8 at most");
            Assert.That(errorOfTheCast, Is.GreaterThan(1e-3), "one rounding to bf16 is off by up to 4e-3");
        });
    }

    [Test]
    public void Output_and_input_gradient_are_those_of_the_rounded_weight()
    {
        var (x, weight, seed) = Problem();
        var rounded = Cast.Apply(weight, DType.BF16);
        Assert.That(Conv2d.Apply(x, weight, 1, 1, rounded).ToFloats(), Is.EqualTo(Conv2d.Apply(x, rounded, 1, 1).ToFloats()));
        Assert.That(InputGradient(x, weight, seed, rounded), Is.EqualTo(InputGradient(x, rounded, seed, null)));
    }

    [Test]
    public void A_weight_of_another_type_and_a_copy_of_another_shape_are_refused()
    {
        var (x, weight, _) = Problem();
        var part = Cast.Apply(weight, DType.BF16).Rows(0, 7);
        Assert.Multiple(() =>
        {
            Assert.That(() => Conv2d.Apply(x, weight), Throws.TypeOf<ShapeException>().With.Message.Contains("of one type").And.Message.Contains("f32 [8, 3, 3, 6]"));
            Assert.That(() => Conv2d.Apply(x, weight, 1, 1, weight), Throws.TypeOf<ShapeException>().With.Message.Contains("of one type"));
            Assert.That(() => Conv2d.Apply(x, weight, 1, 1, part), Throws.TypeOf<ShapeException>().With.Message.Contains("[7, 3, 3, 6] must have the shape"));
        });
    }

    /// <summary>Images and the gradient of the output in bf16, a weight in f32.</summary>
    private (Tensor X, Tensor Weight, Tensor Seed) Problem() =>
        (Cast.Apply(Random(1, 4, 9, 9, 6), DType.BF16), Random(2, 8, 3, 3, 6), Cast.Apply(Random(3, 4, 9, 9, 8), DType.BF16));

    private Tensor Random(int step, params int[] sizes)
    {
        var stream = RandomStream.For(5, RandomPurpose.Test, step: step);
        return Tensor.From(Enumerable.Range(0, Shape.Of(sizes).Count).Select(i => 2 * stream.Uniform(i) - 1).ToArray(), Shape.Of(sizes), _backend);
    }

    /// <summary>The gradient of a weight that kernels read as its copy, or behind a cast where there is none.</summary>
    private static Tensor WeightGradient(Tensor x, Tensor weight, Tensor seed, Tensor? rounded)
    {
        using var tape = new Tape(weight);
        var y = rounded is null ? Conv2d.Apply(x, Cast.Apply(weight, x.Type), 1, 1) : Conv2d.Apply(x, weight, 1, 1, rounded);
        return tape.Gradient(y, seed)[weight];
    }

    private static float[] InputGradient(Tensor x, Tensor weight, Tensor seed, Tensor? rounded)
    {
        using var tape = new Tape(x);
        return tape.Gradient(Conv2d.Apply(x, weight, 1, 1, rounded), seed)[x].ToFloats();
    }

    private static double Error(Tensor actual, double[] expected) =>
        actual.ToDoubles().Zip(expected, (a, e) => Math.Abs(a - e) / Math.Abs(e)).Max();
}
