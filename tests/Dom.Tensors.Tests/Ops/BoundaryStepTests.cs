using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class BoundaryStepTests(string device) : OperatorTest(device)
{
    private const int Rows = 40, Length = 67;

    /// <summary>Pixels, gradients and differences of Rows images; every row is made by <c>Row</c>.</summary>
    private float[] _clean = null!, _x = null!, _w = null!, _d = null!;

    [SetUp]
    public void Draw()
    {
        var random = RandomStream.For(31, RandomPurpose.Test);
        _clean = [.. Enumerable.Range(0, Rows * Length).Select(i => random.Uniform(i))];
        _x = [.. _clean.Select((c, i) => Math.Clamp(c + 0.2f * (random.Uniform(10000 + i) - 0.5f), 0, 1))];
        _w = [.. Enumerable.Range(20000, Rows * Length).Select(i => 2 * random.Uniform(i) - 1)];
        _d = [.. Enumerable.Range(30000, Rows).Select(i => 2 * random.Uniform(i) - 1)];
    }

    [Test]
    public void Far_from_the_box_a_step_onto_the_hyperplane_has_the_smallest_possible_norm()
    {
        // Hoelder: <w, v> changes by at most ||w||_1 times the maximum norm of the change.
        _x = _clean = [.. _clean.Select(c => 0.4f + 0.2f * c)];
        var (y, distances) = Step(overshoot: 1);
        for (int n = 0; n < Rows; n++)
        {
            double norm = Math.Abs(_d[n]) / Row(_w, n).Sum(w => Math.Abs((double)w));
            Assert.That(distances[n], Is.EqualTo(norm).Within(1e-7), $"row {n}");
            Assert.That(Remaining(y, n), Is.EqualTo(0).Within(1e-5), $"row {n} is on the hyperplane");
        }
    }

    [Test]
    public void At_the_box_a_step_onto_the_hyperplane_is_the_shortest_one_that_bisection_finds()
    {
        // Two thirds of the pixels lie on or next to the border, two fifths of the weights are zero, and the hyperplane is far away.
        _x = _clean = [.. _clean.Select(c => c < 0.3f ? 0 : c < 0.4f ? 0.01f : c > 0.7f ? 1 : c)];
        _w = [.. _w.Select(w => Math.Abs(w) < 0.4f ? 0 : w)];
        _d = [.. _d.Select(d => 15 * d)];
        var (y, distances) = Step(overshoot: 1);
        int saturated = 0, unreachable = 0;
        for (int n = 0; n < Rows; n++)
        {
            var (shortest, isReachable) = ShortestByBisection(Row(_x, n), Row(_w, n), _d[n]);
            Assert.That(distances[n], Is.EqualTo(shortest).Within(1e-6), $"row {n}");
            if (isReachable)
                Assert.That(Remaining(y, n), Is.EqualTo(0).Within(2e-5), $"row {n} is on the hyperplane");
            else
                unreachable++;
            saturated += Row(y, n).Zip(Row(_x, n)).Count(p => p.First is 0 or 1 && p.First != p.Second);
        }
        TestContext.Out.WriteLine($"{saturated} pixels of {Rows * Length} ran into the box, {unreachable} rows of {Rows} could not reach the hyperplane");
        Assert.That(y, Has.All.InRange(0f, 1f));
        Assert.That(saturated, Is.GreaterThan(200));
        Assert.That(unreachable, Is.InRange(3, Rows / 2));
    }

    [Test]
    public void A_step_mixes_the_projections_of_the_image_and_of_the_clean_one_by_their_norms()
    {
        _d = [.. _d.Select((d, n) => n % 3 == 0 ? 0.03f * d : d)]; // a third of the images lie next to their hyperplanes
        var (y, distances) = Step(overshoot: 1.05f, pull: 0.1f);
        int pulled = 0;
        for (int n = 0; n < Rows; n++)
        {
            float[] x = Row(_x, n), clean = Row(_clean, n), w = Row(_w, n);
            double ofClean = _d[n] + w.Select((v, i) => v * ((double)clean[i] - x[i])).Sum();
            double a1 = ShortestByBisection(x, w, _d[n]).Norm, a2 = ShortestByBisection(clean, w, ofClean).Norm, q = Math.Min(a1 / (a1 + a2), 0.1);
            pulled += q < 0.1 ? 1 : 0;
            for (int i = 0; i < Length; i++)
            {
                double expected = (1 - q) * (x[i] + 1.05 * Direction(x[i], w[i], _d[n], a1)) + q * (clean[i] + 1.05 * Direction(clean[i], w[i], ofClean, a2));
                Assert.That(y[n * Length + i], Is.EqualTo(Math.Clamp(expected, 0, 1)).Within(1e-6), $"row {n}, pixel {i}");
            }
            Assert.That(distances[n], Is.EqualTo(Row(y, n).Zip(clean, (a, b) => Math.Abs(a - b)).Max()).Within(1e-7));
        }
        Assert.That(pulled, Is.InRange(3, Rows - 3), "the weight is at its bound in some rows and below in others");
    }

    [Test]
    public void A_hand_computed_step()
    {
        // d = -1 must rise to 0: w = (2, -1, 0, 1). The first pixel has room 0.1 and gives 0.2; the second and the last give lambda each: 0.2 + 2 lambda = 1.
        var x = Of([0.9f, 0.5f, 0.5f, 0.5f], 1, 4);
        var (y, distances) = BoundaryStep.Fab(x, x, Of([2, -1, 0, 1], 1, 4), Of([-1], 1), overshoot: 1);
        Assert.That(y.ToFloats(), Is.EqualTo(new[] { 1, 0.1f, 0.5f, 0.9f }).Within(1e-6));
        Assert.That(distances.ToFloats()[0], Is.EqualTo(0.4f).Within(1e-6));
    }

    [Test]
    public void A_row_without_a_gradient_goes_a_tenth_of_the_way_back_and_one_that_is_not_finite_stays()
    {
        float[] clean = [0.5f, 0.5f, 0.5f, 0.5f], x = [0.6f, 0.4f, 0.6f, 0.4f];
        var (y, distances) = BoundaryStep.Fab(Of(clean, 2, 2), Of(x, 2, 2), Of([0, 0, float.NaN, 1], 2, 2), Of([-1, -1], 2));
        Assert.That(y.ToFloats(), Is.EqualTo(new[] { 0.59f, 0.41f, 0.6f, 0.4f }).Within(1e-7));
        Assert.That(distances.ToFloats(), Is.EqualTo(new[] { 0.09f, 0.1f }).Within(1e-7));
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        var x = Of(_x, Rows, Length);
        var d = Of(_d, Rows);
        Assert.Multiple(() =>
        {
            Assert.That(() => BoundaryStep.Fab(x, x, d, d), Throws.TypeOf<ShapeException>().With.Message.Contains("the gradient f32 [40]"));
            Assert.That(() => BoundaryStep.Fab(x, x, x, x), Throws.TypeOf<ShapeException>().With.Message.Contains("differences f32 [40]"));
            Assert.That(() => BoundaryStep.Fab(d, d, d, d), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, ...]"));
            Assert.That(() => BoundaryStep.Fab(x, x, x, d, overshoot: -1), Throws.ArgumentException.With.Message.Contains("got -1"));
            Assert.That(() => BoundaryStep.Fab(x, x, x, d, maximumPull: 1.5f), Throws.ArgumentException.With.Message.Contains("got 1.5"));
            Assert.That(() => BoundaryStep.Fab(x, x, x, d, low: 1), Throws.ArgumentException.With.Message.Contains("low"));
        });
    }

    private (float[] Images, float[] Distances) Step(float overshoot, float pull = 0.1f)
    {
        var (y, distances) = BoundaryStep.Fab(Of(_clean, Rows, Length), Of(_x, Rows, Length), Of(_w, Rows, Length), Of(_d, Rows), overshoot, pull);
        return (y.ToFloats(), distances.ToFloats());
    }

    private static float[] Row(float[] values, int n) => values[(n * Length)..((n + 1) * Length)];

    /// <summary>What the linearized difference of the logits is after the step.</summary>
    private double Remaining(float[] y, int n) => _d[n] + Enumerable.Range(n * Length, Length).Sum(i => _w[i] * ((double)y[i] - _x[i]));

    /// <summary>How a pixel moves where no pixel may move by more than <paramref name="bound"/> and <paramref name="residual"/> has to vanish.</summary>
    private static double Direction(double p, double w, double residual, double bound) => (w * residual) switch
    {
        > 0 => -Math.Min(bound, p),
        < 0 => Math.Min(bound, 1 - p),
        _ => 0,
    };

    private static (double Norm, bool IsReachable) ShortestByBisection(float[] p, float[] w, double residual)
    {
        double Change(double bound) => p.Select((v, i) => Math.Abs(w[i] * Direction(v, w[i], residual, bound))).Sum();
        if (Change(1) < Math.Abs(residual))
            return (p.Select((v, i) => Math.Abs(Direction(v, w[i], residual, 1))).Max(), false);
        double low = 0, high = 1;
        for (int i = 0; i < 100; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = Change(middle) < Math.Abs(residual) ? (middle, high) : (low, middle);
        }
        return (high, true);
    }
}
