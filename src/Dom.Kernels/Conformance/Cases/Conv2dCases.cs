using Dom.Kernels.Cpu;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class Conv2dCases
{
    // Batch, height, width, inputs, outputs, kernel height, kernel width, stride, padding.
    private static readonly Conv2dSizes[] s_sizes =
    [
        new(1, 1, 1, 1, 1, 1, 1, 1, 0), new(2, 5, 7, 3, 5, 3, 3, 1, 1), new(1, 8, 8, 16, 16, 3, 3, 1, 1),
        new(3, 9, 9, 17, 33, 3, 3, 2, 1), new(2, 8, 8, 16, 32, 1, 1, 2, 0), new(2, 7, 6, 5, 9, 1, 1, 1, 0),
        new(2, 9, 11, 4, 6, 5, 5, 1, 2), new(1, 12, 12, 3, 8, 5, 5, 1, 0), new(9, 4, 4, 24, 40, 3, 3, 1, 1),
        new(2, 10, 8, 7, 3, 3, 5, 3, 2), new(17, 2, 2, 12, 20, 3, 3, 1, 1), new(2, 16, 16, 3, 64, 3, 3, 1, 1),
        new(2, 7, 7, 8, 8, 2, 2, 2, 0), new(1, 6, 6, 130, 70, 3, 3, 1, 1),
        // Large enough that the CPU takes Winograd's method by itself.
        new(2, 16, 16, 33, 40, 3, 3, 1, 1), new(3, 11, 13, 64, 48, 3, 3, 1, 1), new(9, 8, 8, 16, 130, 3, 3, 1, 0), new(26, 4, 4, 40, 24, 3, 3, 1, 1),
        new(4, 7, 10, 18, 65, 3, 3, 1, 2), new(24, 15, 13, 64, 64, 3, 3, 2, 1),
        // Channels in multiples of 64 and rows of a power of two: what GPUs take by patches. One image of several tiles, tiles of several images, an uneven batch.
        new(1, 8, 32, 64, 64, 3, 3, 1, 1), new(3, 8, 8, 128, 64, 3, 3, 1, 1), new(13, 4, 4, 64, 136, 3, 3, 1, 1), new(1, 16, 16, 64, 128, 3, 3, 1, 1),
        new(1, 4, 64, 64, 72, 3, 3, 1, 1),
        // The same strided: one image of several tiles, tiles of several images and an uneven batch, channels split, classes without a tap, three classes a side.
        new(2, 32, 32, 64, 128, 3, 3, 2, 1), new(3, 16, 16, 64, 64, 3, 3, 2, 1), new(9, 8, 8, 192, 136, 3, 3, 2, 1), new(5, 16, 16, 64, 64, 1, 1, 2, 0), new(2, 8, 8, 64, 64, 2, 2, 2, 0),
        new(2, 12, 24, 64, 128, 3, 3, 3, 1), new(2, 15, 31, 64, 72, 3, 3, 2, 1),
        // At most four channels in, a multiple of 64 out: what GPUs take by rows of the images. Several tiles an image, a tile of an odd number of eights, every number
        // of channels, two blocks of outputs.
        new(1, 32, 32, 3, 64, 3, 3, 1, 1), new(3, 5, 8, 1, 64, 3, 3, 1, 1), new(2, 3, 24, 4, 64, 3, 3, 1, 1), new(1, 7, 40, 2, 128, 3, 3, 1, 1),
    ];

    // Largest normalized errors measured on these cases: direct 1.2E-6; Winograd 7.0E-6 forward, 9.4E-6 input gradient, 4.1E-6 weight gradient.
    private const double WinogradTolerance = 2e-5;

    /// <summary>The cases; where the method chosen is Winograd's, with the tolerance that it needs.</summary>
    public static IEnumerable<KernelCase> All(ConvolutionMethod convolution)
    {
        foreach (var s in s_sizes)
        {
            string label = $"[{s.Batch},{s.Height},{s.Width},{s.Inputs}] -> {s.Outputs}, {s.KernelHeight}x{s.KernelWidth}, stride {s.Stride}, padding {s.Padding}";
            int x = s.Batch * s.Height * s.Width * s.Inputs;
            int weight = s.Outputs * s.KernelHeight * s.KernelWidth * s.Inputs;
            int y = s.Batch * s.OutputHeight * s.OutputWidth * s.Outputs;
            double gather = WinogradMap.IsChosen(s, convolution) ? WinogradTolerance : 2e-6;
            double weightGradient = WinogradMap.IsChosenForWeights(s, convolution) ? WinogradTolerance : 3e-6;
            yield return KernelCases.Of<Conv2dForward>(label, b => new(b.Random(x), b.Random(weight), b.Output(y), s), gather);
            yield return KernelCases.Of<Conv2dInputGradient>(label, b => new(b.Random(y), b.Random(weight), b.Output(x), s), gather);
            yield return KernelCases.Of<Conv2dWeightGradient>(label, b => new(b.Random(x), b.Random(y), b.ParameterOutput(weight), s), weightGradient);
        }
    }
}
