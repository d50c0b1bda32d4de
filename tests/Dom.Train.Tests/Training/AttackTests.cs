using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;

namespace Dom.Train.Tests.Training;

public sealed class AttackTests
{
    private static readonly RandomStream s_stream = RandomStream.For(9, RandomPurpose.Attack);
    private CpuBackend _backend = null!;
    private Network _network = null!;
    private TensorScope _scope = null!;

    [SetUp]
    public void Open()
    {
        _backend = new CpuBackend(2);
        _network = new Network(new Mlp(2 * 2 * 3, [], 2), _backend, seed: 6); // a linear model: the worst case is known
        _scope = new TensorScope();
    }

    [TearDown]
    public void Close()
    {
        _scope.Dispose();
        _network.Dispose();
        Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
        _backend.Dispose();
    }

    [TestCase(AttackKind.Fgsm, 1)]
    [TestCase(AttackKind.RsFgsm, 1)]
    [TestCase(AttackKind.Pgd, 20)]
    public void On_a_linear_model_the_attack_finds_the_worst_case(AttackKind kind, int steps)
    {
        // With two classes the loss grows along w_other - w_label; inside the box the corner x + epsilon sign(w_other - w_label) is the maximum.
        var (pixels, labels, ids, clean) = Batch();
        var options = AttackOptions.Create(kind, epsilonIn255ths: 8, kind == AttackKind.RsFgsm ? 16 : null, steps);
        var adversarial = Attack.Run(_network, pixels, labels, ids, Pass.Evaluate, options, s_stream).ToFloats();
        var weight = _network.Parameters[0].Parameter.Value.ToFloats();
        int[] label = [0, 1, 1];
        for (int n = 0; n < 3; n++)
            for (int j = 0; j < 12; j++)
            {
                float towards = weight[(1 - label[n]) * 12 + j] - weight[label[n] * 12 + j];
                Assert.That(adversarial[n * 12 + j], Is.EqualTo(clean[n * 12 + j] + 8f / 255 * MathF.Sign(towards)).Within(1e-6));
            }
    }

    [TestCase(AttackKind.Fgsm, AttackNorm.Linf)]
    [TestCase(AttackKind.RsFgsm, AttackNorm.Linf)]
    [TestCase(AttackKind.Pgd, AttackNorm.Linf)]
    [TestCase(AttackKind.Pgd, AttackNorm.L2)]
    public void With_epsilon_zero_the_images_stay_as_they_are(AttackKind kind, AttackNorm norm)
    {
        var (pixels, labels, ids, clean) = Batch();
        var options = AttackOptions.Create(kind, 0, 2, 5, norm);
        Assert.That(Attack.Run(_network, pixels, labels, ids, Pass.Evaluate, options, s_stream).ToFloats(), Is.EqualTo(clean).Within(1e-7));
    }

    [TestCase(AttackNorm.Linf)]
    [TestCase(AttackNorm.L2)]
    public void Every_image_stays_in_the_ball_and_in_the_box(AttackNorm norm)
    {
        var (pixels, labels, ids, clean) = Batch(low: 0, high: 1);
        var options = AttackOptions.Create(AttackKind.Pgd, 60, 20, 7, norm);
        var adversarial = Attack.Run(_network, pixels, labels, ids, Pass.Evaluate, options, s_stream).ToFloats();
        Assert.That(adversarial, Has.All.InRange(0f, 1f));
        for (int n = 0; n < 3; n++)
        {
            var change = Enumerable.Range(n * 12, 12).Select(i => (double)adversarial[i] - clean[i]).ToArray();
            double size = norm == AttackNorm.Linf ? change.Max(Math.Abs) : Math.Sqrt(change.Sum(d => d * d));
            Assert.That(size, Is.LessThanOrEqualTo(60.0 / 255 + 1e-6).And.GreaterThan(30.0 / 255));
        }
    }

    [TestCase(0, 40)]
    [TestCase(0.5, 10)]
    [TestCase(2, 20)]
    [TestCase(3, 40)]
    public void On_a_linear_model_n_fgsm_adds_the_worst_step_to_its_noise(double magnitude, double epsilonIn255ths)
    {
        var (pixels, labels, ids, clean) = Batch(low: 0, high: 1);
        var options = AttackOptions.Create(AttackKind.NFgsm, epsilonIn255ths, noiseMagnitude: magnitude);
        var adversarial = Attack.Run(_network, pixels, labels, ids, Pass.Evaluate, options, s_stream).ToFloats();
        var weight = _network.Parameters[0].Parameter.Value.ToFloats();
        int[] label = [0, 1, 1], id = [5, 3, 8];
        double epsilon = epsilonIn255ths / 255, most = 0;
        for (int n = 0; n < 3; n++)
            for (int j = 0; j < 12; j++)
            {
                float towards = weight[(1 - label[n]) * 12 + j] - weight[label[n] * 12 + j];
                double noise = magnitude * epsilon * (2 * s_stream.ForSample(id[n]).Uniform(j) - 1), x = clean[n * 12 + j];
                double expected = Math.Clamp(Math.Clamp(x + noise, 0, 1) + epsilon * MathF.Sign(towards), 0, 1);
                Assert.That(adversarial[n * 12 + j], Is.EqualTo(expected).Within(1e-6).And.InRange(0f, 1f));
                most = Math.Max(most, Math.Abs(adversarial[n * 12 + j] - x));
            }
        Assert.That(most, Is.LessThanOrEqualTo((magnitude + 1) * epsilon + 1e-6));
        if (magnitude > 0)
            Assert.That(most, Is.GreaterThan(epsilon + 1e-3), "it is not projected to the ball");
    }

    [Test]
    public void With_epsilon_zero_n_fgsm_changes_nothing()
    {
        var (pixels, labels, ids, clean) = Batch();
        var options = AttackOptions.Create(AttackKind.NFgsm, 0);
        Assert.That(Attack.Run(_network, pixels, labels, ids, Pass.Evaluate, options, s_stream).ToFloats(), Is.EqualTo(clean));
    }

    [Test]
    public void N_fgsm_has_no_euclidean_norm_and_no_negative_noise()
    {
        Assert.That(() => AttackOptions.Create(AttackKind.NFgsm, 8, norm: AttackNorm.L2), Throws.ArgumentException.With.Message.Contains("maximum norm"));
        Assert.That(() => AttackOptions.Create(AttackKind.NFgsm, 8, noiseMagnitude: -1), Throws.ArgumentException.With.Message.Contains("got -1"));
    }

    [TestCase(AttackKind.RsFgsm)]
    [TestCase(AttackKind.NFgsm)]
    public void The_random_start_of_a_sample_does_not_depend_on_its_place_in_the_batch(AttackKind kind)
    {
        var (pixels, labels, ids, _) = Batch();
        var options = AttackOptions.Create(kind, 8);
        var together = Attack.Run(_network, pixels, labels, ids, Pass.Evaluate, options, s_stream).ToFloats();
        var alone = Attack.Run(_network, pixels.Rows(2, 1), labels.Rows(2, 1), ids.Rows(2, 1), Pass.Evaluate, options, s_stream).ToFloats();
        Assert.That(alone, Is.EqualTo(together[24..]));
    }

    private (Tensor Pixels, Tensor Labels, Tensor Ids, float[] Clean) Batch(float low = 0.2f, float high = 0.8f)
    {
        var stream = RandomStream.For(1, RandomPurpose.Test);
        var clean = Enumerable.Range(0, 36).Select(i => low + (high - low) * stream.Uniform(i)).ToArray();
        return (Tensor.From(clean, Shape.Of(3, 2, 2, 3), _backend), Tensor.From([0, 1, 1], _backend), Tensor.From([5, 3, 8], _backend), clean);
    }
}
