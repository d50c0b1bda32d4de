using Dom.Kernels.Cpu;
using Dom.Nn.Models;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Nn.Tests.Parity;

/// <summary>
/// Whole networks with the weights and running statistics of a briefly trained PyTorch network, normalization of the pixels included, against
/// what PyTorch computes from the same.
/// </summary>
[TestFixture("preact-resnet18")]
[TestFixture("wide-resnet16-2")]
public sealed class NetworkParityTests(string model)
{
    private const int Steps = 10;
    private const float LearningRate = 0.001f, Momentum = 0.9f, WeightDecay = 5e-4f;

    private CpuBackend _backend = null!;
    private Network _network = null!;
    private PyTorch _torch = null!;
    private SafetensorsFile _start = null!, _answers = null!;

    [OneTimeSetUp]
    public void Ask()
    {
        _torch = PyTorch.OrSkip();
        _torch.Run("network.py", model, ".");
        (_start, _answers) = (_torch.Read("start.safetensors"), _torch.Read("answers.safetensors"));
        _backend = new CpuBackend();
        _network = NewNetwork(seed: 1);
    }

    [OneTimeTearDown]
    public void Release()
    {
        _network?.Dispose();
        _backend?.Dispose();
        _torch?.Dispose();
    }

    [SetUp]
    public void StartFromPyTorchsWeights() => StateDictionary.Load(_network, _start);

    [TestCase("evaluation")]
    [TestCase("training")]
    public void Logits_are_PyTorchs(string mode)
    {
        using var scope = new TensorScope();
        var logits = _network.Apply(Images("pixels"), mode == "training" ? Pass.Train : Pass.Evaluate);
        double difference = Difference.Largest(logits.ToFloats(), _answers[mode + ".logits"].ToFloats());
        TestContext.Out.WriteLine($"{model}, {mode}: largest difference of a logit {difference:0.0e+0}");
        Assert.That(difference, Is.LessThan(1e-4));
    }

    // The batch is one whose ReLU inputs are further from zero than the rounding of f32: at zero either of two gradients is right.
    [Test]
    public void Every_parameter_gradient_is_PyTorchs()
    {
        using var scope = new TensorScope();
        Backward("kinks.pixels", "kinks.labels");
        var worst = (Name: "", Difference: -1.0);
        foreach (var entry in GradientEntries())
        {
            double difference = Difference.Relative(entry.ToFloats(), _answers["gradient." + entry.Name].ToFloats());
            if (difference > worst.Difference)
                worst = (entry.Name, difference);
        }
        TestContext.Out.WriteLine($"{model}: worst relative difference of {_network.Parameters.Count} gradients {worst.Difference:0.0e+0} ({worst.Name}); " +
            $"the input of a ReLU that is nearest to zero is {_answers["kinks.distance"].ToFloats()[0]:0.0} times its layer's rounding away");
        Assert.That(worst.Difference, Is.LessThan(1e-3), $"gradient of {worst.Name}, relative to its largest element");
    }

    // PyTorch updates the running variance with the unbiased variance of the batch; the biased one would be off by 1 part in 127 at 8x4x4 rows.
    [Test]
    public void Running_statistics_after_a_training_pass_are_PyTorchs()
    {
        using (new TensorScope())
            _network.Apply(Images("pixels"), Pass.Train);
        double worst = 0;
        Assert.Multiple(() =>
        {
            foreach (var (name, buffer) in _network.Buffers)
            {
                double difference = Difference.Relative(buffer.Value.ToFloats(), _answers["statistics." + name].ToFloats());
                worst = Math.Max(worst, difference);
                Assert.That(difference, Is.LessThan(1e-5), name);
            }
        });
        TestContext.Out.WriteLine($"{model}: worst relative difference of {_network.Buffers.Count} running statistics {worst:0.0e+0}");
    }

    // The rate is small because rounding grows with it from step to step: at 0.05 the losses of PyTorch itself differ by 6e-3 between f32 and f64.
    [Test]
    public void Ten_training_steps_have_PyTorchs_losses_and_move_the_parameters_as_PyTorch_does()
    {
        using var momentum = Tensor.Persistent(_network.Arena.Shape, DType.F32, _backend, "momentum");
        _backend.Run(new Fill(momentum.Write, 0));
        var losses = new float[Steps];
        for (int i = 0; i < Steps; i++)
        {
            using var scope = new TensorScope();
            losses[i] = Backward($"step{i}.pixels", $"step{i}.labels").Average();
            Sgd.Step(_network.Arena, _network.GradientArena, momentum, LearningRate, Momentum, WeightDecay);
        }
        var expected = _answers["losses"].ToFloats();
        double difference = Difference.Largest(losses, expected);
        double parameters = DistanceFromTheEnd(_network.Parameters.Select(p => p.Name));
        double statistics = DistanceFromTheEnd(_network.Buffers.Select(b => b.Name));
        TestContext.Out.WriteLine($"{model}: losses {expected[0]:0.000} .. {expected[^1]:0.000}, differences " +
            $"{string.Join(" ", losses.Zip(expected, (a, b) => $"{Math.Abs(a - b):0.0e+0}"))}; distance from PyTorch's end over the way: " +
            $"parameters {parameters:0.0e+0}, running statistics {statistics:0.0e+0}");
        Assert.Multiple(() =>
        {
            Assert.That(difference, Is.LessThan(1e-3));
            Assert.That(parameters, Is.LessThan(0.1), "Euclidean distance of all parameters from PyTorch's, over the length of its way in ten steps");
            Assert.That(statistics, Is.LessThan(3e-2), "the same for the running statistics");
        });
    }

    [Test]
    public void A_state_dictionary_of_PyTorch_comes_back_bit_for_bit()
    {
        SafetensorsFile.Write(_torch["returned.safetensors"], StateDictionary.Save(_network));
        _torch.Run("exchange.py", model, _torch["returned.safetensors"], _torch["again.safetensors"]);
        var again = _torch.Read("again.safetensors");
        Assert.That(again.Entries.Select(e => e.Name), Is.EqualTo(_start.Entries.Select(e => e.Name)));
        Assert.Multiple(() =>
        {
            // The number of batches is bookkeeping of PyTorch's that a network does not keep; it comes back as 0.
            foreach (var entry in _start.Entries.Where(e => !e.Name.EndsWith("num_batches_tracked", StringComparison.Ordinal)))
            {
                Assert.That(again[entry.Name].Shape, Is.EqualTo(entry.Shape), entry.Name);
                Assert.That(again[entry.Name].Data.AsSpan().SequenceEqual(entry.Data), Is.True, entry.Name);
            }
        });
    }

    [Test]
    public void A_network_of_ours_loads_strictly_in_PyTorch_computes_the_same_there_and_comes_back_bit_for_bit()
    {
        using var ours = NewNetwork(seed: 5);
        SafetensorsFile.Write(_torch["ours.safetensors"], StateDictionary.Save(ours));
        _torch.Run("exchange.py", model, _torch["ours.safetensors"], _torch["back.safetensors"],
            _torch["answers.safetensors"], _torch["logits.safetensors"]);
        StateDictionary.Load(_network, _torch.Read("back.safetensors"));
        using var scope = new TensorScope();
        var logits = ours.Apply(Images("pixels"), Pass.Evaluate).ToFloats();
        double difference = Difference.Largest(logits, _torch.Read("logits.safetensors")["logits"].ToFloats());
        TestContext.Out.WriteLine($"{model}, initialized by us: largest difference of a logit {difference:0.0e+0}");
        Assert.Multiple(() =>
        {
            Assert.That(difference, Is.LessThan(1e-4));
            Assert.That(_network.Arena.ToFloats(), Is.EqualTo(ours.Arena.ToFloats()));
            for (int i = 0; i < ours.Buffers.Count; i++)
                Assert.That(_network.Buffers[i].Buffer.Value.ToFloats(), Is.EqualTo(ours.Buffers[i].Buffer.Value.ToFloats()), ours.Buffers[i].Name);
        });
    }

    private Network NewNetwork(ulong seed) => new(
        ModelCatalog.Create(model, 32, 32, 3, 10), _backend, seed, ([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]));

    /// <summary>Gradients of the mean loss of a batch in training mode, into the arena; the losses.</summary>
    private float[] Backward(string pixels, string labels)
    {
        using var tape = new Tape(_network.ParameterTensors);
        var logits = _network.Apply(Images(pixels), Pass.Train);
        var loss = SoftmaxCrossEntropy.Step(logits, Tensor.From(_answers[labels].ToInt32(), _backend), null, null);
        tape.Gradient(logits, loss.DLogits!, _network.GradientSlots);
        return loss.Losses.ToFloats();
    }

    /// <summary>The gradients under the names and in the layout of a state dictionary.</summary>
    private SafetensorsEntry[] GradientEntries()
    {
        _backend.Run(new Copy(_network.GradientArena.Read, _network.Arena.Write));
        var names = _network.Parameters.Select(p => p.Name).ToHashSet();
        return StateDictionary.Save(_network).Where(e => names.Contains(e.Name)).ToArray();
    }

    /// <summary>Euclidean distance of the named entries from where PyTorch's ended, over the distance of that end from the start.</summary>
    private double DistanceFromTheEnd(IEnumerable<string> names)
    {
        var ours = StateDictionary.Save(_network).ToDictionary(e => e.Name);
        double apart = 0, way = 0;
        foreach (string name in names)
        {
            var (reached, start, end) = (ours[name].ToFloats(), _start[name].ToFloats(), _answers["end." + name].ToFloats());
            for (int i = 0; i < end.Length; i++)
            {
                apart += Math.Pow((double)reached[i] - end[i], 2);
                way += Math.Pow((double)start[i] - end[i], 2);
            }
        }
        return Math.Sqrt(apart / way);
    }

    private Tensor Images(string name)
    {
        var entry = _answers[name];
        return Tensor.From(entry.ToFloats(), Shape.Of(Array.ConvertAll(entry.Shape, size => (int)size)), _backend);
    }
}
