using Dom.Kernels.Cpu;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Nn.Tests.Parity;

/// <summary>Single layers at odd shapes, forward and backward, against PyTorch.</summary>
public sealed class LayerParityTests
{
    private const double Tolerance = 1e-5; // f32 sums of up to some thousand terms, relative to the largest element

    private CpuBackend _backend = null!;
    private SafetensorsFile _answers = null!;

    [OneTimeSetUp]
    public void Ask()
    {
        using var torch = PyTorch.OrSkip();
        torch.Run("layers.py", torch["layers.safetensors"]);
        _answers = torch.Read("layers.safetensors");
        _backend = new CpuBackend();
    }

    [OneTimeTearDown]
    public void Release() => _backend?.Dispose();

    [TestCase("conv 3x3", 1, 1)]
    [TestCase("conv 3x3 stride 2", 2, 1)]
    [TestCase("conv 5x5", 1, 2)]
    [TestCase("conv 5x5 stride 3 no padding", 3, 0)]
    [TestCase("conv 1x1 stride 2", 2, 0)]
    [TestCase("conv 3x5", 1, 1)]
    [TestCase("conv 3x3 one pixel", 1, 1)]
    [TestCase("conv 3x3 wide", 1, 1)]
    public void A_convolution_is_PyTorchs(string name, int stride, int padding) =>
        Check(name, (x, p) => Conv2d.Apply(x, p[0], stride, padding), "weight");

    [Test]
    public void Batch_norm_with_the_statistics_of_the_batch_is_PyTorchs()
    {
        const string name = "batch norm of a batch";
        using var scope = new TensorScope();
        var running = (Mean: Load($"{name}.mean"), Variance: Load($"{name}.variance"));
        Check(name, (x, p) => BatchNorm2d.Train(x, p[0], p[1], running), "gamma", "beta");
        Compare($"{name}.mean_after", running.Mean);
        Compare($"{name}.variance_after", running.Variance);
    }

    [Test]
    public void Batch_norm_with_given_statistics_is_PyTorchs()
    {
        const string name = "batch norm of given statistics";
        using var scope = new TensorScope();
        var running = (Load($"{name}.mean"), Load($"{name}.variance"));
        Check(name, (x, p) => BatchNorm2d.Infer(x, p[0], p[1], running), "gamma", "beta");
    }

    [Test]
    public void Max_pooling_is_PyTorchs()
    {
        Check("max pool 3x3 stride 2", (x, _) => MaxPool2d.Apply(x, 3, 3, 2, padding: 1));
        Check("max pool 2x2", (x, _) => MaxPool2d.Apply(x, 2));
    }

    [Test]
    public void Average_pooling_is_PyTorchs()
    {
        Check("average pool 2x2", (x, _) => AvgPool2d.Apply(x, 2));
        Check("average pool 3x2", (x, _) => AvgPool2d.Apply(x, 3, 2, 2));
        Check("global average pool", (x, _) => GlobalAveragePool.Apply(x));
    }

    [Test]
    public void A_linear_layer_is_PyTorchs() => Check("linear", (x, p) => Linear.Apply(x, p[0], p[1]), "weight", "bias");

    [Test]
    public void Cross_entropy_is_PyTorchs_sample_by_sample()
    {
        using var scope = new TensorScope();
        var labels = Tensor.From(_answers["cross-entropy.labels"].ToInt32(), _backend);
        Check("cross-entropy", (x, _) => SoftmaxCrossEntropy.PerSample(x, labels));
    }

    [Test]
    public void A_preactivation_block_with_an_identity_shortcut_is_PyTorchs() =>
        Check("block", (x, p) => Block(x, p, stride: 1), "bn1_weight", "bn1_bias", "conv1_weight", "bn2_weight", "bn2_bias", "conv2_weight");

    [Test]
    public void A_preactivation_block_with_a_projection_is_PyTorchs() => Check("block with projection", (x, p) => Block(x, p, stride: 2),
        "bn1_weight", "bn1_bias", "conv1_weight", "bn2_weight", "bn2_bias", "conv2_weight", "convShortcut_weight");

    private static Tensor Block(Tensor x, Tensor[] p, int stride)
    {
        var activated = BatchNorm2d.Train(x, p[0], p[1], null, relu: true);
        var y = Conv2d.Apply(activated, p[2], stride, padding: 1);
        y = Conv2d.Apply(BatchNorm2d.Train(y, p[3], p[4], null, relu: true), p[5], padding: 1);
        return Add.Apply(y, p.Length == 6 ? x : Conv2d.Apply(activated, p[6], stride));
    }

    /// <summary>Compares the result, and the gradients of the input and of the parameters.</summary>
    private void Check(string name, Func<Tensor, Tensor[], Tensor> layer, params string[] parameterNames)
    {
        using var scope = new TensorScope();
        var x = Load(name + ".x");
        var parameters = Array.ConvertAll(parameterNames, p => Load($"{name}.{p}"));
        using var tape = new Tape([x, .. parameters]);
        var y = layer(x, parameters);
        var gradients = tape.Gradient(y, Load(name + ".dy"));
        Assert.Multiple(() =>
        {
            Compare(name + ".y", y);
            Compare(name + ".dx", gradients[x]);
            for (int i = 0; i < parameters.Length; i++)
                Compare($"{name}.d{parameterNames[i]}", gradients[parameters[i]]);
        });
    }

    private void Compare(string name, Tensor actual)
    {
        double difference = Difference.Relative(actual.ToFloats(), _answers[name].ToFloats());
        TestContext.Out.WriteLine($"{name}: {difference:0.0e+0}");
        Assert.That(difference, Is.LessThan(Tolerance), name);
    }

    private Tensor Load(string name)
    {
        var entry = _answers[name];
        return Tensor.From(entry.ToFloats(), Shape.Of(Array.ConvertAll(entry.Shape, size => (int)size)), _backend);
    }
}
