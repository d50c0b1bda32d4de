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
                    b.Random(count, access: Access.ReadWrite), b.Random(count), b.Random(count, access: Access.ReadWrite), View.None, View.None,
                    0.1f, 0.9f, 5e-4f, nesterov));
            yield return KernelCases.Of<SgdStep>($"{count} without momentum", b => new(
                b.Random(count, access: Access.ReadWrite), b.Random(count), View.None, View.None, View.None, 0.1f, 0, 5e-4f, 0));
        }
        yield return KernelCases.Of<SgdStep>("learning rate 0 moves nothing but the momentum", b => new(
            b.Random(100, access: Access.ReadWrite), b.Random(100), b.Random(100, access: Access.ReadWrite), View.None, View.None, 0, 0.9f, 0.1f, 0));
        foreach (var guarded in Guarded())
            yield return guarded;
    }

    /// <summary>Steps that look at losses and at the health flag before they move anything: 20,011 parameters are several blocks and tasks that must agree.</summary>
    private static IEnumerable<KernelCase> Guarded()
    {
        // One loss, an odd number, and more than a block of threads; what is not finite lies first, in between or last.
        foreach (int losses in (int[])[1, 7, 1025])
        {
            yield return Of($"{losses} finite losses", Losses(losses), 0);
            yield return Of($"{losses} finite losses, unhealthy already", Losses(losses), 1);
            foreach (float bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
                foreach (int at in (int[])[.. new[] { 0, losses / 2, losses - 1 }.Distinct()])
                    yield return Of($"loss {at} of {losses} is {Name(bad)}", Losses(losses, bad, at), 0);
        }
        yield return Of("the largest finite losses", [float.MaxValue, -float.MaxValue], 0);
        yield return Of("a loss that is NaN, unhealthy already", Losses(300, float.NaN, 299), 1);
        yield return Of("no losses, healthy", [], 0);
        yield return Of("no losses, unhealthy", [], 1);
        yield return Of("no losses, health is NaN", [], float.NaN);
        yield return Of("a loss is infinite, nobody keeps the health", Losses(300, float.PositiveInfinity, 150), null);
        yield return Of("a loss is NaN, without momentum", Losses(7, float.NaN, 3), 0, hasMomentum: false);
        yield return Of("a loss is NaN, one parameter", Losses(7, float.NaN, 3), 0, count: 1);
    }

    /// <summary>What must stay as it is must stay to the bit: nothing is tolerated there.</summary>
    private static KernelCase Of(string label, float[] losses, float? health, int count = 20011, bool hasMomentum = true)
    {
        bool moves = Array.TrueForAll(losses, float.IsFinite) && health is null or 0f;
        return KernelCases.Of<SgdStep>($"{count}, {label}", b => new(
            b.Random(count, access: Access.ReadWrite), b.Random(count), hasMomentum ? b.Random(count, access: Access.ReadWrite) : View.None,
            losses.Length == 0 ? View.None : b.ParameterValues(losses), health is { } flag ? b.ParameterValues([flag], Access.ReadWrite) : View.None,
            0.1f, hasMomentum ? 0.9f : 0, 5e-4f, 0), moves ? 1e-6 : 0);
    }

    private static float[] Losses(int count, float bad = 0, int at = -1)
    {
        float[] losses = [.. Enumerable.Range(0, count).Select(i => i % 10 / 4f)];
        if (at >= 0)
            losses[at] = bad;
        return losses;
    }

    private static string Name(float bad) => float.IsNaN(bad) ? "NaN" : bad > 0 ? "infinite" : "minus infinite";
}
