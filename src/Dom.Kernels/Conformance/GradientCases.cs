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
        .. LinearAlgebra(),
        .. Pooling(),
        .. Rest(),
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
        new("centercrop", t => CenterCrop.Apply(t[0], 1), In(2, 4, 5, 3)),
        new("two reshapes of one tensor, added", t => Add.Apply(
            Reshape.Apply(t[0], Shape.Of(21)), Relu.Apply(Reshape.Apply(t[0], Shape.Of(21)))), In(3, 7)),
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
            [
                (4, 4, 1, 1, 1, 0), (5, 4, 1, 1, 2, 0), (4, 5, 3, 3, 1, 1), (5, 5, 3, 3, 2, 1), (5, 6, 3, 3, 1, 0), (5, 5, 5, 5, 1, 2),
                (6, 7, 3, 5, 3, 2), (4, 4, 2, 2, 2, 0),
            ])
            yield return new($"conv2d {r}x{s}, stride {stride}, padding {padding}", t => Conv2d.Apply(t[0], t[1], stride, padding),
                In(2, h, w, 3), In(4, r, s, 3));
        yield return new("convolution, batchnorm2d, relu and shortcut", t =>
            Add.Apply(Conv2d.Apply(BatchNorm2d.Train(t[0], t[1], t[2], null, relu: true), t[3], 1, 1), t[0]),
            In(2, 4, 4, 3), In(3).Within(0.5f, 1.5f), In(3), In(3, 3, 3, 3)) { Tolerance = 3e-5 };
    }

    private static IEnumerable<GradientCase> LinearAlgebra()
    {
        foreach (bool a in (bool[])[false, true])
            foreach (bool b in (bool[])[false, true])
                yield return new($"gemm{(a ? ", A transposed" : "")}{(b ? ", B transposed" : "")}", t => Gemm.Apply(t[0], t[1], a, b),
                    a ? In(5, 3) : In(3, 5), b ? In(4, 5) : In(5, 4));
        yield return new("linear", t => Linear.Apply(t[0], t[1]), In(3, 5), In(4, 5));
        yield return new("linear with a bias", t => Linear.Apply(t[0], t[1], t[2]), In(3, 5), In(4, 5), In(4));
    }

    private static IEnumerable<GradientCase> Pooling() =>
    [
        new("avgpool2d 2x2", t => AvgPool2d.Apply(t[0], 2), In(2, 4, 6, 3)),
        new("avgpool2d 3x2, stride 2, padding 1", t => AvgPool2d.Apply(t[0], 3, 2, 2, 1), In(2, 5, 4, 3)),
        new("maxpool2d 2x2", t => MaxPool2d.Apply(t[0], 2), In(2, 4, 6, 3)),
        new("maxpool2d 3x3, stride 2, padding 1 (windows overlap)", t => MaxPool2d.Apply(t[0], 3, 3, 2, 1), In(2, 6, 5, 3)),
        new("globalaveragepool", t => GlobalAveragePool.Apply(t[0]), In(2, 3, 4, 5)),
    ];

    private static IEnumerable<GradientCase> Rest() =>
    [
        new("normalize", t => Normalize.Apply(t[0], Constants(t[0], 0.4, 0.5, 0.6), Constants(t[0], 0.2, 0.3, 0.25)), In(2, 3, 3, 3)),
        new("dropout", t => Dropout.Apply(t[0], Ids(t[0], 4, 9), RandomStream.For(5, RandomPurpose.Dropout), 0.4f), In(2, 30)),
        new("per-sample cross-entropy", t => SoftmaxCrossEntropy.PerSample(t[0], Ids(t[0], 2, 0, 4)), In(3, 5).Within(-3, 3)),
        new("kl divergence", t => KlDivergence.PerSample(t[0], t[1]), In(3, 5).Within(-3, 3), In(3, 5).Within(-3, 3)),
        new("6 times the kl divergence of logits to themselves, doubled", t => KlDivergence.PerSample(Add.Apply(t[0], t[0]), t[0], 6), In(3, 5)),
        new("gather of rows", t => Rows.Gather(t[0], Ids(t[0], 3, 0)), In(4, 3, 2)),
        new("blend of rows", t => Rows.Blend(t[0], t[1], Constants(t[0], 0, 0.25, 1)), In(3, 4), In(3, 4)),
    ];

    /// <summary>Numbers that are no functions of the inputs.</summary>
    private static Tensor Constants(Tensor like, params double[] values) =>
        Tensor.From(values, Shape.Of(values.Length), like.Backend, like.Type);

    private static Tensor Ids(Tensor like, params int[] values) => Tensor.From(values, like.Backend);

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
