using System.Globalization;
using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class LogitLossTests(string device) : OperatorTest(device)
{
    private const int Rows = 6, Classes = 7;

    private static readonly int[] s_labels = [0, 3, 6, 2, 5, 1], s_targets = [4, 0, 2, 3, 1, 6];

    [Test]
    public void Losses_are_the_formulas_with_the_numbers_put_in()
    {
        // Label 1 (logit 2), target 3 (logit 0.5); largest first: 5, 2, 0.5, -1.
        var logits = Of([5, 2, -1, 0.5f], 1, 4);
        Assert.Multiple(() =>
        {
            Assert.That(Loss(LogitLossKind.Margin), Is.EqualTo(2 - 5.0));
            Assert.That(Loss(LogitLossKind.Difference), Is.EqualTo(0.5 - 2));
            Assert.That(Loss(LogitLossKind.Dlr), Is.EqualTo(-(2 - 5) / (5 - 0.5)).Within(1e-6));
            Assert.That(Loss(LogitLossKind.TargetedDlr), Is.EqualTo(-(2 - 0.5) / (5 - (0.5 - 1) / 2)).Within(1e-6));
        });

        float Loss(LogitLossKind kind) => LogitLoss.Step(logits, Tensor.From([1], Backend), kind, Tensor.From([3], Backend)).Losses.ToFloats()[0];
    }

    [Test]
    public void Dlr_of_a_correct_row_is_between_minus_one_and_zero_and_does_not_change_with_the_scale_of_the_logits()
    {
        // Croce and Hein 2020, section 4: the point of the ratio.
        var logits = Random(0, 50, 10);
        int[] predictions = LogitLoss.Step(logits, Labels(new int[50]), LogitLossKind.Dlr).Predictions.ToArray<int>();
        float[] losses = LogitLoss.Step(logits, Labels(predictions), LogitLossKind.Dlr).Losses.ToFloats();
        float[] scaled = LogitLoss.Step(Of([.. logits.ToFloats().Select(z => 1000 * z)], 50, 10), Labels(predictions), LogitLossKind.Dlr).Losses.ToFloats();
        Assert.That(losses, Is.All.InRange(-1f, 0f));
        Assert.That(scaled, Is.EqualTo(losses).Within(1e-5));
    }

    [Test]
    public void Gradients_are_finite_differences([Values] LogitLossKind kind)
    {
        const double Shift = 1e-6;
        using var reference = new ReferenceBackend();
        double[] z = [.. Random(1, Rows, Classes).ToFloats().Select(v => (double)v)]; // no two logits of a row are closer than 1e-3: nobody changes places
        Assert.That(z.Chunk(Classes).Min(row => row.Order().Zip(row.Order().Skip(1), (a, b) => b - a).Min()), Is.GreaterThan(1e-3));
        var expected = new double[z.Length];
        for (int i = 0; i < z.Length; i++)
            expected[i] = (InDouble(Shifted(i, Shift)) - InDouble(Shifted(i, -Shift))) / (2 * Shift);
        var gradient = LogitLoss.Step(Of([.. z.Select(v => (float)v)], Rows, Classes), Labels(s_labels), kind, Labels(s_targets)).DLogits!;
        Assert.That(gradient.ToFloats(), Is.EqualTo(expected).Within(1e-5 * expected.Max(Math.Abs)));

        double[] Shifted(int i, double by) => [.. z.Select((v, j) => j == i ? v + by : v)];

        double InDouble(double[] values)
        {
            using var scope = new TensorScope();
            var logits = Tensor.From(values, Shape.Of(Rows, Classes), reference);
            return LogitLoss.Step(logits, Tensor.From(s_labels, reference), kind, Tensor.From(s_targets, reference)).Losses.ToDoubles().Sum();
        }
    }

    // z_y and the largest other by masking, the order by sorting: another way to the same formulas than the kernels', differentiated by PyTorch.
    private const string Losses = """
        z = x.reshape(6, 7).requires_grad_()
        y, t, rows = torch.tensor([0, 3, 6, 2, 5, 1]), torch.tensor([4, 0, 2, 3, 1, 6]), torch.arange(6)
        own, aim = z[rows, y], z[rows, t]
        other = z.masked_fill(torch.nn.functional.one_hot(y, 7).bool(), -1e9).max(1).values
        top = z.sort(dim=1, descending=True).values
        loss = [own - other, aim - own, (other - own) / (top[:, 0] - top[:, 2] + 1e-12),
                (aim - own) / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + 1e-12)][KIND]
        y = torch.cat([loss, torch.autograd.grad(loss.sum(), z)[0].flatten()])
        """;

    [Test]
    public void Losses_and_gradients_are_PyTorchs([Values] LogitLossKind kind)
    {
        var logits = Random(2, Rows, Classes);
        float[] expected = TorchOracle.Ask(Losses.Replace("KIND", ((int)kind).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal), logits.ToFloats());
        var result = LogitLoss.Step(logits, Labels(s_labels), kind, Labels(s_targets));
        float[] actual = [.. result.Losses.ToFloats(), .. result.DLogits!.ToFloats()];
        Assert.That(actual, Is.EqualTo(expected).Within(2e-6 * expected.Max(Math.Abs)));
    }

    [Test]
    public void The_prediction_is_the_first_of_the_largest_and_none_where_a_logit_is_not_a_number()
    {
        var logits = Of([0, 2, 2, 1, 3, 1, 3, 3, 1, float.NaN, 9, 0], 3, 4);
        var result = LogitLoss.Step(logits, Labels([1, 2, 2]), LogitLossKind.Margin);
        Assert.Multiple(() =>
        {
            Assert.That(result.Predictions.ToArray<int>(), Is.EqualTo(new[] { 1, 0, -1 }));
            Assert.That(result.Losses.ToFloats(), Is.EqualTo(new[] { 0, 0, float.NaN }), "a tie is no margin");
            Assert.That(result.DLogits!.ToFloats()[8..], Is.All.Zero);
        });
    }

    [Test]
    public void What_is_not_wanted_is_not_computed() =>
        Assert.That(LogitLoss.Step(Random(3, 2, 5), Labels([0, 1]), LogitLossKind.Margin, wantsGradient: false).DLogits, Is.Null);

    [Test]
    public void One_two_and_three_threads_give_the_same_bits()
    {
        float[][] results = [.. new[] { 1, 2, 3 }.Select(threads =>
        {
            using var backend = new CpuBackend(threads);
            using var scope = new TensorScope();
            var ids = Tensor.From(Enumerable.Range(0, 5000).ToArray(), backend);
            var logits = Noise.Uniform(ids, Shape.Of(5000, 10), RandomStream.For(1, RandomPurpose.Test));
            var labels = Tensor.From(Enumerable.Range(0, 5000).Select(n => n % 10).ToArray(), backend);
            var result = LogitLoss.Step(logits, labels, LogitLossKind.Dlr);
            return (float[])[.. result.Losses.ToFloats(), .. result.DLogits!.ToFloats()];
        })];
        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        var logits = Random(4, 2, 5);
        var labels = Labels([0, 1]);
        Assert.Multiple(() =>
        {
            Assert.That(() => LogitLoss.Step(Random(4, 2, 3), labels, LogitLossKind.Dlr),
                Throws.TypeOf<ShapeException>().With.Message.Contains("at least 4 classes").And.Message.Contains("have 3").And.Message.Contains("margin"));
            Assert.That(() => LogitLoss.Step(Random(4, 2, 3), labels, LogitLossKind.TargetedDlr, labels), Throws.TypeOf<ShapeException>());
            Assert.That(() => LogitLoss.Step(logits, labels, LogitLossKind.Difference), Throws.ArgumentException.With.Message.Contains("target"));
            Assert.That(() => LogitLoss.Step(logits, labels, LogitLossKind.TargetedDlr, Labels([1])), Throws.TypeOf<ShapeException>().With.Message.Contains("[2]"));
            Assert.That(() => LogitLoss.Step(logits, Labels([1]), LogitLossKind.Margin), Throws.TypeOf<ShapeException>().With.Message.Contains("labels i32 [2]"));
            Assert.That(() => LogitLoss.Step(Random(4, 5), labels, LogitLossKind.Margin), Throws.TypeOf<ShapeException>().With.Message.Contains("[N, C]"));
        });
    }

    private Tensor Labels(int[] values) => Tensor.From(values, Backend);
}
