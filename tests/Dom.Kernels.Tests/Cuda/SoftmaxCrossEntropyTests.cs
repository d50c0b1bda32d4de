using Dom.Kernels.Cuda;
using Dom.Tensors;

namespace Dom.Kernels.Tests.Cuda;

/// <summary>The exponential and the logarithm that the GPU's kernels bring along, through the loss.</summary>
public sealed class SoftmaxCrossEntropyTests
{
    [Test]
    public void The_loss_keeps_its_digits_from_a_hundred_down_to_ten_to_the_minus_34()
    {
        using CudaBackend backend = Emulator.Open();
        using var scope = new TensorScope();
        float[] gaps = Array.ConvertAll(Enumerable.Range(-1000, 1781).ToArray(), i => i / 10f); // logit of the label minus that of the other class
        var logits = Tensor.From(gaps.SelectMany(gap => (float[])[gap, 0]).ToArray(), Shape.Of(gaps.Length, 2), backend);
        var losses = Tensors.Ops.SoftmaxCrossEntropy.PerSample(logits, Tensor.From(new int[gaps.Length], backend)).ToFloats();
        double worst = gaps.Zip(losses, (gap, loss) => Math.Abs(loss / Loss(gap) - 1)).Max();
        Assert.That(worst, Is.LessThan(3 * Math.Pow(2, -23)), "three roundings: of the exponential, of the logarithm, and of their sum with the gap");
    }

    /// <summary>log(1 + exp(-gap)) in f64, also where the 1 would swallow the rest.</summary>
    private static double Loss(double gap)
    {
        double other = Math.Exp(-gap);
        return gap < 0 ? -gap + Math.Log(1 + Math.Exp(gap)) : other > 1e-4 ? Math.Log(1 + other) : other - other * other / 2;
    }
}
