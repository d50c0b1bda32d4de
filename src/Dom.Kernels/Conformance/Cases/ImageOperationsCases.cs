using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class ImageOperationsCases
{
    /// <summary>Every operation there is, forward and backward where it has a sign.</summary>
    private static readonly ImageStep[] s_steps =
    [
        .. Enum.GetValues<ImageOperation>().SelectMany(operation => (float[])(operation switch
        {
            ImageOperation.ShearX or ImageOperation.ShearY => [0.09f, -1f / 15],
            ImageOperation.TranslateX or ImageOperation.TranslateY => [4.35f, -2.37f],
            ImageOperation.Rotate => [9, -10f / 3],
            ImageOperation.Posterize => [4, 7],
            ImageOperation.Solarize => [178.5f, 255],
            ImageOperation.Identity or ImageOperation.AutoContrast or ImageOperation.Equalize => [0],
            _ => [0.27f, -0.2f],
        }), (operation, magnitude) => new ImageStep(operation, magnitude)),
    ];

    public static IEnumerable<KernelCase> All()
    {
        // The last image does not fit into the shared memory of a block.
        foreach (var (height, width, channels) in ((int, int, int)[])[(1, 1, 1), (2, 3, 3), (5, 3, 1), (9, 14, 3), (32, 32, 3), (99, 97, 3)])
            foreach (var sampling in Enum.GetValues<ImageSampling>())
            {
                string size = $"{height}x{width}x{channels} {sampling.ToString().ToLowerInvariant()}";
                yield return Chains($"every operation, {size}", height, width, channels, chains: 1, length: 1, sampling, (row, _) => s_steps[row]);
                yield return Chains($"three chains of three, {size}", height, width, channels, chains: 3, length: 3, sampling,
                    (row, step) => s_steps[(5 * row + 7 * step) % s_steps.Length]);
            }
        yield return Chains("no operation", 4, 5, 3, chains: 1, length: 0, ImageSampling.Nearest, (_, _) => default);
        foreach (var (rows, chains, length) in ((int, int, int)[])[(1, 0, 1), (1, 1, 3), (7, 3, 3072), (3, 4, 101)])
            yield return KernelCases.Of<MixChains>($"{rows}x{length}, {chains} chains", b => new(
                b.Random(rows * length, -0.1f, 1.1f), b.Random(rows * chains * length, -0.1f, 1.1f),
                b.Parameters(rows * (chains + 1), 0, 2f / (chains + 1)), b.Output(rows * length), rows, chains, length));
    }

    // Smooth images, so that stretching and equalizing have something to do, and half of them with noise.
    private static KernelCase Chains(
        string label, int height, int width, int channels, int chains, int length, ImageSampling sampling, Func<int, int, ImageStep> stepOf)
    {
        int rows = (s_steps.Length + chains - 1) / chains * chains, images = rows / chains, size = height * width * channels;
        var steps = Enumerable.Range(0, rows * length).Select(i => stepOf(i / length, i % length)).ToArray();
        var parameters = new float[rows * length * ImageStepParameters.Count];
        for (int i = 0; i < steps.Length; i++)
            ImageStepParameters.Write(steps[i], height, width, parameters.AsSpan(i * ImageStepParameters.Count, ImageStepParameters.Count));
        float[] pixels = [.. Enumerable.Range(0, images * size).Select(i =>
        {
            int n = i / size, place = i % size / channels, c = i % channels;
            float smooth = 0.45f + 0.3f * MathF.Sin(0.13f * (place / width) + 0.21f * (place % width) + c + n);
            return n % 2 == 0 ? smooth : (smooth + (i * 2654435761u >> 8 & 0xFF) / 255f) / 1.8f;
        })];
        return KernelCases.Of<ImageChains>(label, b => new(
            b.Values(pixels), b.Integers([.. steps.Select(s => (int)s.Operation)]), b.ParameterValues(parameters), b.Output(rows * size),
            rows, chains, length, height, width, channels, (int)sampling));
    }
}
