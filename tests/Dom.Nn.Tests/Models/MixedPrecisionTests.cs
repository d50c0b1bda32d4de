using Dom.Kernels.Reference;
using Dom.Nn.Models;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Nn.Tests.Models;

/// <summary>bf16 activations with f32 master parameters, on the reference backend.</summary>
public sealed class MixedPrecisionTests
{
    private const int Classes = 5;

    private static readonly int[] s_labels = [0, 3, 1, 4, 2, 0];

    // bf16 has 8 significant bits: a rounding is off by up to 1 part in 256, and there are a dozen of them in a row.
    [Test]
    public void A_network_in_bf16_computes_nearly_what_it_computes_in_f32()
    {
        using var backend = new ReferenceBackend();
        var exact = Run(backend, Precision.F32);
        var rounded = Run(backend, Precision.BF16);
        double logits = Difference.Largest(rounded.Logits, exact.Logits);
        TestContext.Out.WriteLine($"largest difference of a logit {logits:0.0e+0}");
        Assert.That(logits, Is.LessThan(2e-2));
        Assert.That(logits, Is.GreaterThan(1e-5), "bf16 was really used");
    }

    [Test]
    public void Gradients_of_a_bf16_pass_reach_every_f32_parameter_and_point_the_same_way()
    {
        using var backend = new ReferenceBackend();
        var exact = Run(backend, Precision.F32).Gradients;
        var rounded = Run(backend, Precision.BF16).Gradients;
        Assert.Multiple(() =>
        {
            for (int i = 0; i < exact.Length; i++)
            {
                double cosine = Dot(exact[i].Values, rounded[i].Values) /
                    Math.Sqrt(Dot(exact[i].Values, exact[i].Values) * Dot(rounded[i].Values, rounded[i].Values));
                TestContext.Out.WriteLine($"{exact[i].Name}: cosine {cosine:0.0000}");
                Assert.That(rounded[i].Type, Is.EqualTo(DType.F32), exact[i].Name);
                Assert.That(cosine, Is.GreaterThan(0.9), exact[i].Name);
            }
        });
    }

    private static (float[] Logits, (string Name, DType Type, float[] Values)[] Gradients) Run(ReferenceBackend backend, Precision precision)
    {
        using var network = new Network(new PreActResNet([4, 8], [1, 1], Classes), backend, seed: 2, ([.5f, .5f, .5f], [.25f, .25f, .25f]));
        using var scope = new TensorScope();
        var stream = RandomStream.For(1, RandomPurpose.Test);
        var shape = Shape.Of(s_labels.Length, 8, 8, 3);
        var pixels = Tensor.From(Enumerable.Range(0, shape.Count).Select(i => stream.Uniform(i)).ToArray(), shape, backend);
        using var tape = new Tape(network.ParameterTensors);
        var logits = network.Apply(pixels, Pass.Train with { Precision = precision });
        var loss = SoftmaxCrossEntropy.Step(logits, Tensor.From(s_labels, backend), null, null);
        var gradients = tape.Gradient(logits, loss.DLogits!);
        return (logits.ToFloats(),
            [.. network.Parameters.Select(p => (p.Name, gradients[p.Parameter.Value].Type, gradients[p.Parameter.Value].ToFloats()))]);
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
