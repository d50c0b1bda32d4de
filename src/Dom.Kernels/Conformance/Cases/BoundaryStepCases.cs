using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

/// <summary>Images of attacks are f32 in any case, so these do not vary with the type of the activations.</summary>
internal static class BoundaryStepCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (rows, length) in ((int, int)[])[(1, 1), (3, 7), (4, 33), (5, 3072), (300, 12), (1, 20001)])
            foreach (float reach in (float[])[0.02f, 0.3f, 2]) // no coordinate runs into the box; some do; nearly all
                yield return KernelCases.Of<FabStep>($"{rows}x{length}, reach {reach}", b => new(
                    b.Parameters(rows * length, 0, 1), b.Parameters(rows * length, 0, 1), b.Parameters(rows * length),
                    b.Parameters(rows, -reach * length / 4, reach * length / 4), b.ParameterOutput(rows * length), b.ParameterOutput(rows), rows, length, 1.05f, 0.1f, 0, 1), 2e-6);

        yield return KernelCases.Of<FabStep>("from the clean image, weights of zero, pixels on the border of the box", b =>
        {
            float[] pixels = Drawn(1, 4 * 50, v => v < 0.3f ? 0 : v > 0.7f ? 1 : v), weights = Drawn(2, 4 * 50, v => v < 0.4f ? 0 : v - 0.7f);
            return new(
                b.ParameterValues(pixels), b.ParameterValues(pixels), b.ParameterValues(weights), b.ParameterValues([-0.5f, 0.5f, -1e4f, 1e4f]),
                b.ParameterOutput(200), b.ParameterOutput(4), 4, 50, 1.05f, 0.1f, 0, 1);
        }, 2e-6);
        yield return KernelCases.Of<FabStep>("tiny gradients", b => new(
            b.Parameters(600, 0, 1), b.Parameters(600, 0, 1), b.Parameters(600, -1e-9f, 1e-9f), b.Parameters(2, -1e-8f, 1e-8f), b.ParameterOutput(600), b.ParameterOutput(2),
            2, 300, 1.05f, 0.1f, 0, 1), 2e-6);
        yield return KernelCases.Of<FabStep>("no gradient: a tenth of the way back", b => new(
            b.Parameters(20, 0, 1), b.Parameters(20, 0, 1), b.ParameterValues(new float[20]), b.ParameterValues([-1, 1]), b.ParameterOutput(20), b.ParameterOutput(2),
            2, 10, 1.05f, 0.1f, 0, 1), 2e-6);
        yield return KernelCases.Of<FabStep>("not finite: nothing moves", b =>
        {
            float[] weights = Drawn(3, 40, v => v - 0.5f), differences = [float.NaN, float.NegativeInfinity, -1, -1];
            (weights[25], weights[33]) = (float.NaN, float.PositiveInfinity);
            return new(
                b.Parameters(40, 0, 1), b.Parameters(40, 0, 1), b.ParameterValues(weights), b.ParameterValues(differences), b.ParameterOutput(40), b.ParameterOutput(4),
                4, 10, 1.05f, 0.1f, 0, 1);
        }, 2e-6);
    }

    private static float[] Drawn(int step, int count, Func<float, float> change)
    {
        var stream = RandomStream.For(7, RandomPurpose.Test, step: step);
        return [.. Enumerable.Range(0, count).Select(i => change(stream.Uniform(i)))];
    }
}
