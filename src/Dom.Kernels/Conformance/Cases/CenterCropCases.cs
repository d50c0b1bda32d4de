using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class CenterCropCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (var (n, h, w, c, m) in ((int, int, int, int, int)[])[(1, 3, 3, 1, 1), (2, 5, 7, 3, 2), (3, 32, 32, 3, 2), (2, 4, 4, 17, 0)])
        {
            int large = n * h * w * c, small = n * (h - 2 * m) * (w - 2 * m) * c;
            string label = $"[{n},{h},{w},{c}] margin {m}";
            yield return KernelCases.Of<CenterCropForward>(label, b => new(b.Random(large), b.Output(small), n, h, w, c, m), 0);
            yield return KernelCases.Of<CenterCropBackward>(label, b => new(b.Random(small), b.Output(large), n, h, w, c, m), 0);
        }
    }
}
