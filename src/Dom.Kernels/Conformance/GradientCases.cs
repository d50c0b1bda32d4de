using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance;

/// <summary>The gradient cases: every differentiable operator in its variants. A new one is one line here.</summary>
public static class GradientCases
{
    /// <summary>All cases, operator by operator.</summary>
    public static IReadOnlyList<GradientCase> All { get; } =
    [
        .. Elementwise(),
        .. BatchNorms(),
        .. Convolutions(),
    ];

    private static IEnumerable<GradientCase> Elementwise() =>
    [
        new("relu", t => Relu.Apply(t[0]), In(3, 7)),
        new("add", t => Add.Apply(t[0], t[1]), In(3, 7), In(3, 7)),
        new("add of a tensor to itself", t => Add.Apply(t[0], t[0]), In(3, 7)),
        new("residual relu(x) + x", t => Add.Apply(Relu.Apply(t[0]), t[0]), In(3, 7)),
        new("residual x + relu(x)", t => Add.Apply(t[0], Relu.Apply(t[0])), In(3, 7)),
        new("two residuals", t => Residual(Residual(t[0])), In(3, 7)),
        new("reshape", t => Reshape.Apply(t[0], Shape.Of(7, 3)), In(3, 7)),
        new("reshape into both inputs of add", t => Add.Apply(Reshape.Apply(t[0], Shape.Of(21)), Relu.Apply(Reshape.Apply(t[0], Shape.Of(21)))), In(3, 7)),
    ];

    private static IEnumerable<GradientCase> BatchNorms()
    {
        foreach (bool relu in (bool[])[false, true])
        {
            string suffix = relu ? " and relu" : "";
            yield return new($"batchnorm2d in training{suffix}", t => BatchNorm2d.Train(t[0], t[1], t[2], null, relu: relu),
                In(2, 3, 3, 4), In(4).Within(0.5f, 1.5f), In(4)) { Tolerance = 3e-5 };
            yield return new($"batchnorm2d in training{suffix}, [N, C]", t => BatchNorm2d.Train(t[0], t[1], t[2], null, relu: relu),
                In(9, 5), In(5), In(5)) { Tolerance = 3e-5 };
            yield return new($"batchnorm2d in evaluation{suffix}", t => BatchNorm2d.Infer(t[0], t[1], t[2], RunningStatistics(t[1]), relu: relu),
                In(2, 3, 3, 4), In(4).Within(0.5f, 1.5f), In(4));
        }
    }

    private static IEnumerable<GradientCase> Convolutions()
    {
        // Input height and width, kernel height and width, stride, padding.
        foreach (var (h, w, r, s, stride, padding) in ((int, int, int, int, int, int)[])
            [(4, 4, 1, 1, 1, 0), (5, 4, 1, 1, 2, 0), (4, 5, 3, 3, 1, 1), (5, 5, 3, 3, 2, 1), (5, 6, 3, 3, 1, 0), (5, 5, 5, 5, 1, 2), (6, 7, 3, 5, 3, 2), (4, 4, 2, 2, 2, 0)])
            yield return new($"conv2d {r}x{s}, stride {stride}, padding {padding}", t => Conv2d.Apply(t[0], t[1], stride, padding), In(2, h, w, 3), In(4, r, s, 3));
        yield return new("convolution, batchnorm2d, relu and shortcut", t =>
            Add.Apply(Conv2d.Apply(BatchNorm2d.Train(t[0], t[1], t[2], null, relu: true), t[3], 1, 1), t[0]),
            In(2, 4, 4, 3), In(3).Within(0.5f, 1.5f), In(3), In(3, 3, 3, 3)) { Tolerance = 3e-5 };
    }

    private static Tensor Residual(Tensor x) => Add.Apply(x, Relu.Apply(x));

    /// <summary>Mean and variance that are no functions of the inputs.</summary>
    private static (Tensor Mean, Tensor Variance) RunningStatistics(Tensor gamma)
    {
        var mean = Enumerable.Range(0, gamma.Count).Select(c => 0.1 * c - 0.2).ToArray();
        var variance = Enumerable.Range(0, gamma.Count).Select(c => 0.5 + 0.25 * c).ToArray();
        return (Tensor.From(mean, gamma.Shape, gamma.Backend, gamma.Type), Tensor.From(variance, gamma.Shape, gamma.Backend, gamma.Type));
    }

    /// <summary>An input uniform in [-1, 1).</summary>
    private static GradientInput In(params int[] sizes) => new(Shape.Of(sizes));

    private static GradientInput Within(this GradientInput input, float low, float high) => input with { Low = low, High = high };
}
