using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class LinearCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (rows, columns) in ((int, int)[])[(1, 1), (7, 3), (128, 10), (5, 33), (3000, 37), (2, 40000)])
        {
            int count = rows * columns;
            yield return KernelCases.Of<AddBias>($"{rows}x{columns}", b => new(
                b.Random(count), b.Parameters(columns), b.Output(count), rows, columns));
            yield return KernelCases.Of<BiasGradient>($"{rows}x{columns}", b => new(
                b.Random(count), b.ParameterOutput(columns), rows, columns), 2e-6);
            // In bf16 a layer's bias is a copy in the type of the activations.
            yield return KernelCases.Of<AddBias>($"{rows}x{columns}, bias of the activations' type", b => new(
                b.Random(count), b.Random(columns), b.Output(count), rows, columns));
            yield return KernelCases.Of<BiasGradient>($"{rows}x{columns}, bias of the activations' type", b => new(
                b.Random(count), b.Output(columns), rows, columns), 2e-6);
        }
    }
}
