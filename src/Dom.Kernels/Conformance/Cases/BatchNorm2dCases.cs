using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class BatchNorm2dCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (rows, channels) in ((int, int)[])[(2, 1), (3, 5), (64, 16), (200, 33), (1031, 64), (300, 200), (4096, 3)])
            foreach (int relu in (int[])[0, 1])
            {
                int count = rows * channels;
                string label = $"{rows}x{channels}{(relu == 1 ? " relu" : "")}";
                yield return KernelCases.Of<BatchNorm2dTrain>(label, b => new(
                    b.Random(count, -1, 3), b.Parameters(channels, 0.5f, 1.5f), b.Parameters(channels), b.Output(count),
                    b.ParameterOutput(channels), b.ParameterOutput(channels),
                    b.Parameters(channels, access: Access.ReadWrite), b.Parameters(channels, 0.5f, 1.5f, Access.ReadWrite),
                    rows, channels, 1e-5f, 0.1f, relu), 3e-6);
                yield return KernelCases.Of<BatchNorm2dTrain>($"{label}, running statistics left alone", b => new(
                    b.Random(count, 99, 101), b.Parameters(channels), b.Parameters(channels), b.Output(count),
                    b.ParameterOutput(channels), b.ParameterOutput(channels), View.None, View.None,
                    rows, channels, 1e-5f, 0.1f, relu), 1e-4); // mean 100, std 0.6: a few digits are gone before we start
                yield return KernelCases.Of<BatchNorm2dInfer>(label, b => new(
                    b.Random(count), b.Parameters(channels), b.Parameters(channels), b.Parameters(channels), b.Parameters(channels, 0.1f, 2),
                    b.Output(count), rows, channels, 1e-5f, relu));
                yield return KernelCases.Of<BatchNorm2dTrainBackward>(label, b => new(
                    b.Random(count), b.Random(count), b.Parameters(channels, 0.5f, 1.5f), b.Parameters(channels), b.Parameters(channels, -.2f, .2f),
                    b.Parameters(channels, 1, 2), b.Output(count), b.ParameterOutput(channels), b.ParameterOutput(channels),
                    rows, channels, relu), 5e-6);
                yield return KernelCases.Of<BatchNorm2dInferBackward>(label, b => new(
                    b.Random(count), b.Random(count), b.Parameters(channels, 0.5f, 1.5f), b.Parameters(channels), b.Parameters(channels, -.2f, .2f),
                    b.Parameters(channels, 0.5f, 2), b.Output(count), b.ParameterOutput(channels), b.ParameterOutput(channels),
                    rows, channels, 1e-5f, relu), 5e-6);
                yield return KernelCases.Of<BatchNorm2dInferBackward>($"{label}, dx only", b => new(
                    b.Random(count), b.Random(count), b.Parameters(channels, 0.5f, 1.5f), b.Parameters(channels), b.Parameters(channels, -.2f, .2f),
                    b.Parameters(channels, 0.5f, 2), b.Output(count), View.None, View.None, rows, channels, 1e-5f, relu), 5e-6);
                yield return KernelCases.Of<BatchNorm2dTrainBackward>($"{label}, parameters only", b => new(
                    b.Random(count), b.Random(count), b.Parameters(channels, 0.5f, 1.5f), b.Parameters(channels), b.Parameters(channels, -.2f, .2f),
                    b.Parameters(channels, 1, 2), View.None, b.ParameterOutput(channels), b.ParameterOutput(channels),
                    rows, channels, relu), 5e-6);
            }
    }
}
