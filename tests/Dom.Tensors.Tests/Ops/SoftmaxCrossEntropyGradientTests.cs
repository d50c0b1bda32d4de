using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Tensors.Tests.Ops;

public sealed class SoftmaxCrossEntropyGradientTests
{
    [Test]
    public void The_gradient_of_the_losses_agrees_with_finite_differences_in_double()
    {
        using var backend = new ReferenceBackend();
        using var scope = new TensorScope();
        float[] values = [0.5f, -1, 2, 0.25f, 1.5f, -0.75f, 3, 0, -2, 1, 1, 0.125f];
        float[] seed = [1, -0.5f, 2];
        const float Step = 1f / 1024; // exact in f32, as are the values: the difference quotient has no rounding of its inputs
        double Objective(float[] z)
        {
            using var inner = new TensorScope();
            var losses = SoftmaxCrossEntropy.PerSample(Logits(z), Tensor.From([2, 0, 3], backend)).ToArray<double>();
            return losses.Select((loss, n) => loss * seed[n]).Sum();
        }
        Tensor Logits(float[] z) => Tensor.From(z, Shape.Of(3, 4), backend, DType.F64);

        var logits = Logits(values);
        using var tape = new Tape(logits);
        var losses = SoftmaxCrossEntropy.PerSample(logits, Tensor.From([2, 0, 3], backend));
        double[] gradient = tape.Gradient(losses, Tensor.From(seed, Shape.Of(3), backend, DType.F64))[logits].ToArray<double>();

        for (int i = 0; i < values.Length; i++)
        {
            float[] up = [.. values], down = [.. values];
            up[i] += Step;
            down[i] -= Step;
            Assert.That(gradient[i], Is.EqualTo((Objective(up) - Objective(down)) / (2 * Step)).Within(1e-6), $"logit {i}");
        }
    }

    [Test]
    public void One_two_and_three_threads_give_the_same_bits()
    {
        float[][] results = [.. new[] { 1, 2, 3 }.Select(Run)];
        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    private static float[] Run(int threads)
    {
        const int Rows = 3000, Classes = 37;
        using var backend = new CpuBackend(threads);
        using var scope = new TensorScope();
        var stream = RandomStream.For(5, RandomPurpose.Test);
        var logits = Tensor.From(Enumerable.Range(0, Rows * Classes).Select(i => 4 * stream.Uniform(i)).ToArray(), Shape.Of(Rows, Classes), backend);
        var ids = Tensor.From(Enumerable.Range(0, Rows).ToArray(), backend);
        var labels = Tensor.From(Enumerable.Range(0, Rows).Select(n => n % Classes).ToArray(), backend);
        var ledger = Filled.Create(Shape.Of(Rows, LedgerRow.Count), 0, backend);
        var step = SoftmaxCrossEntropy.Step(
            logits, labels, ids, ledger, comparison: LossComparison.KeepAbove, threshold: 3.5f, divisor: 0);
        return [.. step.Losses.ToFloats(), .. step.Keep!.ToFloats(), .. step.DLogits!.ToFloats(), .. ledger.ToFloats()];
    }
}
