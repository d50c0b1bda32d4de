using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Conformance.Cases;

internal static class SgdCases
{
    public static IEnumerable<KernelCase> All()
    {
        foreach (int count in (int[])[1, 7, 33, 70001])
        {
            foreach (int nesterov in (int[])[0, 1])
                yield return KernelCases.Of<SgdStep>($"{count}{(nesterov == 1 ? " nesterov" : "")}", b => new(
                    b.Random(count, access: Access.ReadWrite), b.Random(count), b.Random(count, access: Access.ReadWrite),
                    0.1f, 0.9f, 5e-4f, nesterov));
            yield return KernelCases.Of<SgdStep>($"{count} without momentum", b => new(
                b.Random(count, access: Access.ReadWrite), b.Random(count), View.None, 0.1f, 0, 5e-4f, 0));
        }
        yield return KernelCases.Of<SgdStep>("learning rate 0 moves nothing but the momentum", b => new(
            b.Random(100, access: Access.ReadWrite), b.Random(100), b.Random(100, access: Access.ReadWrite), 0, 0.9f, 0.1f, 0));
    }
}
