using Dom.Kernels.Conformance;
using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Train;
using Dom.Train.Training;

namespace Dom.Cli.Check;

/// <summary>The cases of the conformance suite that a person asked for.</summary>
internal sealed class CheckPlan
{
    private readonly Dictionary<string, double> _tolerances = [];

    private CheckPlan(KernelCase[] kernelCases, GradientCase[] gradientCases)
    {
        (KernelCases, GradientCases) = (kernelCases, gradientCases);
        foreach (var kernelCase in kernelCases)
            _tolerances[kernelCase.ToString()] = kernelCase.Tolerance;
        foreach (var gradientCase in gradientCases)
            _tolerances[gradientCase.ToString()] = gradientCase.Tolerance;
        Totals = kernelCases.Select(c => (c.Call.Name, c.Type)).Concat(gradientCases.Select(_ => (Gradient, DType.F32)))
            .GroupBy(key => key).ToDictionary(group => group.Key, group => group.Count());
    }

    /// <summary>The group of the gradient cases.</summary>
    public const string Gradient = "gradient";

    /// <summary>Cases of single calls.</summary>
    public IReadOnlyList<KernelCase> KernelCases { get; }

    /// <summary>Cases of operators and their gradients.</summary>
    public IReadOnlyList<GradientCase> GradientCases { get; }

    /// <summary>Number of cases by call and type.</summary>
    public IReadOnlyDictionary<(string Group, DType Type), int> Totals { get; }

    /// <summary>Number of all cases.</summary>
    public int Count => KernelCases.Count + GradientCases.Count;

    /// <summary>Those of all cases whose name ("Conv2dForward [2,5,7,3] ... f32", "gradient relu") contains a text, in small or capital letters, with the tolerances of a way to compute convolutions.</summary>
    /// <exception cref="OptionException">No case does; the message gives the nearest call.</exception>
    public static CheckPlan Create(string? filter, ConvolutionMethod convolution = ConvolutionMethod.Auto)
    {
        bool IsAsked(object named) => filter is null || named.ToString()!.Contains(filter, StringComparison.OrdinalIgnoreCase);
        var plan = new CheckPlan([.. Kernels.Conformance.KernelCases.AllFor(convolution).Where(IsAsked)], [.. Kernels.Conformance.GradientCases.All.Where(IsAsked)]);
        if (plan.Count > 0)
            return plan;
        var calls = Kernels.Conformance.KernelCases.Calls.Select(call => call.Name).ToArray();
        throw new OptionException($"--filter '{filter}': no case has that in its name; give a part of a call's name, "
            + $"f32, bf16, or 'gradient'{NearestName.Hint(filter!, [.. calls, Gradient])}");
    }

    /// <summary>Largest error that a case may have.</summary>
    public double ToleranceOf(CaseReport report) => _tolerances[report.Case];
}
