using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class KlDivergenceTests(string device) : OperatorTest(device)
{
    // p = (1/2, 1/2), q = (1/4, 3/4): KL = 1/2 ln 2 + 1/2 ln (2/3) = 1/2 ln (4/3). The other way: 1/4 ln (1/2) + 3/4 ln (3/2).
    [Test]
    public void Two_coins()
    {
        float three = MathF.Log(3);
        var losses = KlDivergence.PerSample(Of([0, 0, 5, 5 + three], 2, 2), Of([1, 1 + three, -2, -2], 2, 2)).ToFloats();
        Assert.That(losses[0], Is.EqualTo(0.5 * Math.Log(4 / 3.0)).Within(1e-6));
        Assert.That(losses[1], Is.EqualTo(0.25 * Math.Log(0.5) + 0.75 * Math.Log(1.5)).Within(1e-6));
    }

    [Test]
    public void Equal_predictions_have_no_divergence_and_no_slope()
    {
        var p = Random(1, 4, 7);
        var seed = Of([1, 1, 1, 1], 4);
        Assert.That(KlDivergence.PerSample(p, p).ToFloats(), Is.All.Zero);
        var q = Of(p.ToFloats(), 4, 7);
        var gradients = GradientsOf(() => KlDivergence.PerSample(p, q), seed, p, q);
        Assert.That(gradients[0].Concat(gradients[1]), Is.All.EqualTo(0).Within(1e-7));
    }

    [Test]
    public void Divergences_and_both_gradients_are_PyTorchs()
    {
        const int Rows = 33, Classes = 10;
        float[] p = Values(1), q = Values(2), weights = [.. Values(3).Take(Rows)];
        string given = $"p, q, w = x[:330].double().reshape(33, 10).requires_grad_(), x[330:660].double().reshape(33, 10).requires_grad_(), x[660:].double()";
        float[] answer = TorchOracle.Ask($"""
            {given}
            f = torch.nn.functional
            losses = 6 * f.kl_div(f.log_softmax(q, 1), f.softmax(p, 1), reduction='none').sum(1)
            dp, dq = torch.autograd.grad((losses * w).sum(), (p, q))
            y = torch.cat([losses, dp.flatten(), dq.flatten()])
            """, [.. p, .. q, .. weights]);
        Tensor ofP = Of(p, Rows, Classes), ofQ = Of(q, Rows, Classes);
        var gradients = GradientsOf(() => KlDivergence.PerSample(ofP, ofQ, 6), Of(weights, Rows), ofP, ofQ);
        float[] ours = [.. KlDivergence.PerSample(ofP, ofQ, 6).ToFloats(), .. gradients[0], .. gradients[1]];
        double difference = ours.Zip(answer, (a, b) => Math.Abs((double)a - b)).Max();
        TestContext.Out.WriteLine($"largest difference {difference:0.0e+0} of values up to {answer.Max(Math.Abs):0.0}");
        Assert.That(difference, Is.LessThan(2e-5 * answer.Max(Math.Abs)));
    }

    [Test]
    public void A_probability_that_is_zero_adds_nothing()
    {
        var losses = KlDivergence.PerSample(Of([0, -2000], 1, 2), Of([0, 0], 1, 2)).ToFloats();
        Assert.That(losses[0], Is.EqualTo(Math.Log(2)).Within(1e-6));
    }

    [Test]
    public void Shapes_must_agree() => Assert.That(
        () => KlDivergence.PerSample(Random(1, 2, 3), Random(2, 3, 3)), Throws.TypeOf<ShapeException>().With.Message.Contains("of one shape"));

    private static float[] Values(int step) => [.. Enumerable.Range(0, 330).Select(i => 6 * RandomStream.For(5, RandomPurpose.Test, step: step).Uniform(i) - 3)];
}
