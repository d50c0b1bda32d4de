using System.Diagnostics.CodeAnalysis;
using Dom.Kernels.Conformance.Cases;
using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Conformance;

/// <summary>The conformance suite: the cases that every backend must pass.</summary>
public static class KernelCases
{
    /// <summary>All cases: those of f32 activations, operator by operator, then the same with activations of bf16.</summary>
    public static IEnumerable<KernelCase> All => AllFor(ConvolutionMethod.Auto);

    /// <summary>The cases of f32 activations, operator by operator.</summary>
    public static IEnumerable<KernelCase> F32 => F32For(ConvolutionMethod.Auto);

    /// <summary>All cases, with the tolerances of a way to compute convolutions: Winograd's method rounds more than the direct one.</summary>
    public static IEnumerable<KernelCase> AllFor(ConvolutionMethod convolution) =>
        [.. F32For(convolution), .. F32For(convolution).Select(c => c.As(DType.BF16))];

    private static IEnumerable<KernelCase> F32For(ConvolutionMethod convolution) =>
    [
        .. ElementwiseCases.All(),
        .. BatchNorm2dCases.All(),
        .. Conv2dCases.All(convolution),
        .. CenterCropCases.All(),
        .. SoftmaxCrossEntropyCases.All(),
        .. KlDivergenceCases.All(),
        .. LossThresholdCases.All(),
        .. SgdCases.All(),
        .. CropFlipCases.All(),
        .. GemmCases.All(),
        .. LinearCases.All(),
        .. PoolingCases.All(),
        .. NormalizeCases.All(),
        .. CastCases.All(),
        .. NoiseCases.All(),
        .. DropoutCases.All(),
        .. PerturbCases.All(),
        .. RowsCases.All(),
        .. ImageOperationsCases.All(),
    ];

    /// <summary>Every kernel call of the contract.</summary>
    public static IReadOnlyList<Type> Calls { get; } = FindCalls();

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "A published dom keeps all of Dom.Tensors: only the framework is trimmed.")]
    private static Type[] FindCalls() => typeof(IKernelCall).Assembly.GetTypes()
        .Where(t => t.IsValueType && typeof(IKernelCall).IsAssignableFrom(t)).OrderBy(t => t.Name, StringComparer.Ordinal).ToArray();

    /// <summary>A case, short to write.</summary>
    /// <param name="label">Sizes and variant.</param>
    /// <param name="build">Asks for the buffers and makes the call.</param>
    /// <param name="tolerance">Largest normalized error for f32 elements: a few roundings, more for long sums.</param>
    /// <param name="type">Type of the activations.</param>
    internal static KernelCase Of<TCall>(string label, Func<Buffers, TCall> build, double tolerance = 1e-6, DType type = DType.F32)
        where TCall : struct, IKernelCall =>
        new KernelCase<TCall>(build) { Label = label, Tolerance = tolerance }.As(type);
}
