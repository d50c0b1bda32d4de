using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Conformance;

/// <summary>An input of a gradient case.</summary>
/// <param name="Shape">Its sizes.</param>
/// <param name="Low">Smallest value.</param>
/// <param name="High">Values are below it.</param>
public sealed record GradientInput(Shape Shape, float Low = -1, float High = 1);

/// <summary>A function of tensors whose gradients are checked, against finite differences and between backends.</summary>
/// <param name="name">Operator and variant: "conv2d 3x3, stride 2".</param>
/// <param name="function">The function; it makes what else it needs on the backend of its inputs.</param>
/// <param name="inputs">The inputs, all of which are differentiated.</param>
public sealed class GradientCase(string name, Func<IReadOnlyList<Tensor>, Tensor> function, params GradientInput[] inputs)
{
    /// <summary>Operator and variant.</summary>
    public string Name { get; } = name;

    /// <summary>Largest normalized error of an f32 gradient: difference over the largest element of the reference's gradient.</summary>
    public double Tolerance { get; init; } = 1e-5;

    /// <summary>Calls that the case runs, forward and backward, and that the backend lacks for f32.</summary>
    public IReadOnlyList<Type> MissingOn(IBackend backend)
    {
        using var recording = new RecordingBackend(new ReferenceBackend());
        GradientCheck.Gradients(function, Inputs(), recording, DType.F64);
        return recording.Calls.Select(c => c.Type).Distinct().Where(t => !backend.Supports(t, DType.F32)).ToArray();
    }

    /// <summary>Compares the gradients on the reference backend in f64 with finite differences.</summary>
    public GradientCheckResult Check()
    {
        using var reference = new ReferenceBackend();
        return GradientCheck.Compare(function, Inputs(), reference);
    }

    /// <summary>Compares the gradients on <paramref name="backend"/> in f32 with those of the reference backend in f64.</summary>
    public CaseResult RunOn(IBackend backend)
    {
        using var reference = new ReferenceBackend();
        var expected = GradientCheck.Gradients(function, Inputs(), reference, DType.F64);
        var actual = GradientCheck.Gradients(function, Inputs(), backend, DType.F32);
        double worst = 0;
        for (int input = 0; input < inputs.Length; input++)
        {
            double scale = expected[input].Select(Math.Abs).DefaultIfEmpty().Max();
            for (int i = 0; i < expected[input].Length; i++)
            {
                double error = Math.Abs(expected[input][i] - actual[input][i]) / Math.Max(scale, 1e-30);
                if (!(error <= Tolerance))
                    return new CaseResult(false, error,
                        $"{Name}: gradient of input {input}, element {i}: expected {expected[input][i]:G9}, got {actual[input][i]:G9}; " +
                        $"error {error:G3} above {Tolerance:G3}");
                worst = Math.Max(worst, error);
            }
        }
        return new CaseResult(true, worst, "");
    }

    /// <inheritdoc/>
    public override string ToString() => $"gradient {Name}";

    /// <summary>Values that f32 holds exactly, so that both backends start from the same numbers.</summary>
    private (Shape, double[])[] Inputs()
    {
        var values = new (Shape, double[])[inputs.Length];
        for (int i = 0; i < inputs.Length; i++)
        {
            var stream = RandomStream.For(7, RandomPurpose.Test, step: i);
            var (low, high) = (inputs[i].Low, inputs[i].High);
            values[i] = (inputs[i].Shape,
                Enumerable.Range(0, inputs[i].Shape.Count).Select(k => (double)(low + (high - low) * stream.Uniform(k))).ToArray());
        }
        return values;
    }
}
