using Dom.Kernels.Reference;
using Dom.Nn.Models;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;
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

    [Test]
    public void A_bf16_step_rounds_the_parameters_in_one_call_and_writes_convolution_gradients_straight_into_their_slots()
    {
        using var recording = new RecordingBackend(new ReferenceBackend());
        using var network = NewNetwork(recording);
        using var scope = new TensorScope();
        var (pixels, labels) = Batch(recording);
        using var tape = new Tape(network.ParameterTensors);
        recording.Clear();
        var logits = network.Apply(pixels, Pass.Train with { Precision = Precision.BF16 });
        tape.Gradient(logits, SoftmaxCrossEntropy.Step(logits, labels, null, null).DLogits!, network.GradientSlots);

        var gradients = recording.Calls.Where(call => call.Type == typeof(Conv2dWeightGradient)).Select(call => call.Views[2]).ToArray();
        var slots = network.GradientSlots.Values.Select(slot => slot.Read.Address).ToHashSet();
        Assert.Multiple(() =>
        {
            // Parameters, normalized pixels, weight of the linear layer, logits; and back again from the logits to that weight.
            Assert.That(recording.Calls.Count(call => call.Type == typeof(Cast)), Is.EqualTo(6));
            Assert.That(
                recording.Calls.Count(call => call.Type == typeof(Cast) && call.Views[0].Length == network.Arena.Count), Is.EqualTo(1), "the parameters");
            Assert.That(gradients.Select(view => view.Type), Is.All.EqualTo(DType.F32));
            Assert.That(gradients.Count(view => slots.Contains(view.Address)), Is.EqualTo(gradients.Length).And.GreaterThan(0));
        });
    }

    [Test]
    public void A_pass_in_bf16_sees_parameters_that_were_changed_since_the_last_one()
    {
        using var backend = new ReferenceBackend();
        using var network = NewNetwork(backend);
        using var scope = new TensorScope();
        var (pixels, _) = Batch(backend);
        var pass = Pass.Evaluate with { Precision = Precision.BF16 };
        float[] before = network.Apply(pixels, pass).ToFloats(), parameters = network.Arena.ToFloats();
        network.Arena.CopyFrom(Array.ConvertAll(parameters, p => 2 * p));
        var after = network.Apply(pixels, pass).ToFloats();
        network.Arena.CopyFrom(parameters);
        Assert.That(after, Is.Not.EqualTo(before));
        Assert.That(network.Apply(pixels, pass).ToFloats(), Is.EqualTo(before));
    }

    [Test]
    public void A_network_that_is_applied_in_f32_only_keeps_no_bf16_copy()
    {
        using var backend = new ReferenceBackend();
        using (var network = NewNetwork(backend))
        using (var scope = new TensorScope())
        {
            var pixels = Batch(backend).Pixels;
            var parameter = network.Parameters[0].Parameter;
            long live = backend.Memory.LiveBytes;
            network.Apply(pixels, Pass.Evaluate).Dispose();
            Assert.That(backend.Memory.LiveBytes, Is.EqualTo(live));
            Assert.That(() => parameter.Rounded, Throws.InvalidOperationException.With.Message.Contains("Precision.BF16"));
            network.Apply(pixels, Pass.Evaluate with { Precision = Precision.BF16 }).Dispose();
            Assert.That((parameter.Rounded.Type, parameter.Rounded.Shape), Is.EqualTo((DType.BF16, parameter.Shape)));
        }
        Assert.That(backend.Memory.LiveBytes, Is.Zero, "the copy goes with the network");
    }

    private static Network NewNetwork(IBackend backend) =>
        new(new PreActResNet([4, 8], [1, 1], Classes), backend, seed: 2, ([.5f, .5f, .5f], [.25f, .25f, .25f]));

    private static (Tensor Pixels, Tensor Labels) Batch(IBackend backend)
    {
        var stream = RandomStream.For(1, RandomPurpose.Test);
        var shape = Shape.Of(s_labels.Length, 8, 8, 3);
        return (Tensor.From(Enumerable.Range(0, shape.Count).Select(i => stream.Uniform(i)).ToArray(), shape, backend), Tensor.From(s_labels, backend));
    }

    private static (float[] Logits, (string Name, DType Type, float[] Values)[] Gradients) Run(ReferenceBackend backend, Precision precision)
    {
        using var network = NewNetwork(backend);
        using var scope = new TensorScope();
        var (pixels, labels) = Batch(backend);
        using var tape = new Tape(network.ParameterTensors);
        var logits = network.Apply(pixels, Pass.Train with { Precision = precision });
        var loss = SoftmaxCrossEntropy.Step(logits, labels, null, null);
        var gradients = tape.Gradient(logits, loss.DLogits!);
        return (logits.ToFloats(),
            [.. network.Parameters.Select(p => (p.Name, gradients[p.Parameter.Value].Type, gradients[p.Parameter.Value].ToFloats()))]);
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
