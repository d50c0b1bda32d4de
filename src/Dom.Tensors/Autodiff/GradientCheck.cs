using Dom.Tensors.Backend;

namespace Dom.Tensors.Autodiff;

/// <summary>
/// Compares the gradients of a tape with central finite differences in f64. The output is projected to one number by a fixed random vector:
/// f = sum_i w[i] y[i], w standard normal.
/// </summary>
public static class GradientCheck
{
    /// <summary>Checks every element of every input.</summary>
    /// <param name="function">The function under test; must be deterministic, and touch its inputs by operators only.</param>
    /// <param name="inputs">Shapes and values; all inputs are differentiated.</param>
    /// <param name="reference">A backend that computes with f64 elements.</param>
    /// <param name="tolerance">Largest relative error of an element, which counts as at least a thousandth of its input's largest one.</param>
    /// <param name="step">Step of the difference, times max(1, |x|).</param>
    /// <param name="maximumSkipped">Largest share of elements, 0..1, that may lie at a kink of the function.</param>
    /// <remarks>
    /// At a kink (relu at 0, a tie of a maximum) the one-sided differences disagree. An element is skipped where they do and the gradient lies
    /// between them: any value there is a subgradient.
    /// </remarks>
    public static GradientCheckResult Compare(
        Func<IReadOnlyList<Tensor>, Tensor> function, IReadOnlyList<(Shape Shape, double[] Values)> inputs, IBackend reference,
        double tolerance = 1e-5, double step = 1e-5, double maximumSkipped = 0.1)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var gradients = Gradients(function, inputs, reference, DType.F64);
        using var scope = new TensorScope();
        var tensors = inputs.Select(i => Tensor.From(i.Values, i.Shape, reference)).ToArray();
        var (start, noise) = Project(function, tensors);
        var result = new GradientCheckResult(true, 0, 0, 0, 0, 0, "");
        for (int input = 0; input < inputs.Count; input++)
        {
            var values = (double[])inputs[input].Values.Clone();
            var elements = new Element[values.Length];
            for (int i = 0; i < values.Length; i++)
            {
                double x = values[i], h = step * Math.Max(1, Math.Abs(x));
                double above = At(x + h), below = At(x - h);
                values[i] = x;
                elements[i] = new Element(
                    gradients[input][i], (above - below) / (2 * h), (above - start) / h, (start - below) / h, noise / h);

                double At(double value)
                {
                    values[i] = value;
                    tensors[input].CopyFrom(values);
                    return Project(function, tensors).Value;
                }
            }
            tensors[input].CopyFrom(values);
            result = Judge(result, input, elements, tolerance);
        }
        return Concluded(result, tolerance, maximumSkipped);
    }

    /// <summary>The tape's gradients of f with respect to all inputs, elements of <paramref name="type"/>.</summary>
    /// <remarks>Two backends that get the same inputs must agree on what comes back.</remarks>
    public static double[][] Gradients(
        Func<IReadOnlyList<Tensor>, Tensor> function, IReadOnlyList<(Shape Shape, double[] Values)> inputs, IBackend backend, DType type)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        using var scope = new TensorScope();
        var tensors = inputs.Select(i => Tensor.From(i.Values, i.Shape, backend, type)).ToArray();
        using var tape = new Tape(tensors);
        var y = function(tensors);
        var gradients = tape.Gradient(y, Tensor.From(Weights(y.Count), y.Shape, backend, y.Type));
        return Array.ConvertAll(tensors, t => gradients.Contains(t) ? gradients[t].ToDoubles() : new double[t.Count]);
    }

    private static (double Value, double Noise) Project(Func<IReadOnlyList<Tensor>, Tensor> function, Tensor[] inputs)
    {
        using var scope = new TensorScope();
        var y = function(inputs).ToDoubles();
        var weights = Weights(y.Length);
        double sum = 0, size = 0;
        for (int i = 0; i < y.Length; i++)
        {
            sum += weights[i] * y[i];
            size += Math.Abs(weights[i] * y[i]);
        }
        return (sum, 16 * 2.2e-16 * size);
    }

    private static double[] Weights(int count)
    {
        var stream = RandomStream.For(1, RandomPurpose.Test);
        var weights = new double[count];
        for (int i = 0; i < count; i++)
            weights[i] = stream.Normal(i); // exact in f32 too
        return weights;
    }

    private static GradientCheckResult Judge(GradientCheckResult result, int input, Element[] elements, double tolerance)
    {
        double largest = elements.Length == 0 ? 0 : elements.Max(e => Math.Max(Math.Abs(e.Gradient), Math.Abs(e.Central)));
        for (int i = 0; i < elements.Length; i++)
        {
            double error = elements[i].RelativeError(largest);
            if (error > tolerance && elements[i].IsAtKink)
                result = result with { Skipped = result.Skipped + 1 };
            else if (error > result.WorstError)
                result = result with
                {
                    WorstError = error, WorstInput = input, WorstIndex = i,
                    Message = $"input {input}, element {i}: the gradient is {elements[i].Gradient:G9}, the difference {elements[i].Central:G9}",
                };
        }
        return result with { Elements = result.Elements + elements.Length };
    }

    private static GradientCheckResult Concluded(GradientCheckResult result, double tolerance, double maximumSkipped)
    {
        if (!(result.WorstError <= tolerance))
            return result with { Passed = false, Message = $"{result.Message}; relative error {result.WorstError:G3} above {tolerance:G3}." };
        if (result.Skipped > maximumSkipped * result.Elements)
            return result with
            {
                Passed = false,
                Message = $"{result.Skipped} of {result.Elements} elements lie at a kink, at most {maximumSkipped:P0} may; use other inputs.",
            };
        return result with { Message = $"worst relative error {result.WorstError:G3}, {result.Skipped} of {result.Elements} elements skipped." };
    }

    private readonly record struct Element(double Gradient, double Central, double Right, double Left, double Noise)
    {
        public bool IsAtKink =>
            Gradient >= Math.Min(Left, Right) - Noise && Gradient <= Math.Max(Left, Right) + Noise && Math.Abs(Right - Left) > 4 * Noise;

        /// <summary>What the rounding of the difference cannot explain, relative to the element or a thousandth of the largest one.</summary>
        public double RelativeError(double largest)
        {
            double difference = Math.Abs(Gradient - Central);
            if (double.IsNaN(difference))
                return double.PositiveInfinity;
            double scale = Math.Max(Math.Max(Math.Abs(Gradient), Math.Abs(Central)), 1e-3 * largest);
            return difference <= Noise ? 0 : (difference - Noise) / scale;
        }
    }
}

/// <summary>What a gradient check found.</summary>
/// <param name="Passed">Whether every element agrees and few enough were skipped.</param>
/// <param name="WorstError">The largest relative error.</param>
/// <param name="WorstInput">The input that has it.</param>
/// <param name="WorstIndex">The element of that input.</param>
/// <param name="Elements">Elements in all inputs together.</param>
/// <param name="Skipped">How many of them lie at a kink.</param>
/// <param name="Message">The result in words.</param>
public sealed record GradientCheckResult(
    bool Passed, double WorstError, int WorstInput, int WorstIndex, int Elements, int Skipped, string Message);
