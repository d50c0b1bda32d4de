using Dom.Kernels.Cpu;
using Dom.Nn.Layers;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Ops;

namespace Dom.Nn.Tests.Parity;

/// <summary>
/// The end of PreActResNet-18 for images larger than 32x32: averages over windows of 4x4, then a linear layer whose weight has another order in PyTorch's files,
/// where pixels are innermost.
/// </summary>
public sealed class WindowParityTests
{
    private const double Tolerance = 1e-5;

    [Test]
    public void Windows_and_the_linear_layer_behind_them_are_PyTorchs_forward_and_backward()
    {
        using var torch = PyTorch.OrSkip();
        torch.Run("windows.py", ".");
        var answers = torch.Read("answers.safetensors");
        using var backend = new CpuBackend(2);
        using var network = new Network(new Head(), backend, seed: 1, (new float[5], [1, 1, 1, 1, 1]));
        StateDictionary.Load(network, torch.Read("start.safetensors"));
        using var scope = new TensorScope();
        var x = Tensor.From(answers["x"].ToFloats(), Shape.Of(2, 8, 12, 5), backend);
        var seed = Tensor.From(answers["seed"].ToFloats(), Shape.Of(2, 7), backend);
        using var tape = new Tape(network.ParameterTensors);
        tape.Watch(x);
        var logits = network.Apply(x, Pass.Train);
        Assert.That(Difference.Relative(logits.ToFloats(), answers["logits"].ToFloats()), Is.LessThan(Tolerance), "logits");
        var dx = tape.Gradient(logits, seed, network.GradientSlots)[x];
        Assert.That(Difference.Relative(dx.ToFloats(), answers["dx"].ToFloats()), Is.LessThan(Tolerance), "gradient of the input");
        backend.Run(new Copy(network.GradientArena.Read, network.Arena.Write));
        foreach (var entry in StateDictionary.Save(network))
        {
            Assert.That(entry.Shape, Is.EqualTo(answers[entry.Name].Shape), entry.Name);
            Assert.That(Difference.Relative(entry.ToFloats(), answers[entry.Name].ToFloats()), Is.LessThan(Tolerance), $"gradient of {entry.Name}");
        }
    }

    private sealed class Head : Module
    {
        private readonly Layers.Linear _linear;

        public Head() => _linear = Register("linear", new Layers.Linear(5 * 6, 7, positions: 6));

        public override Tensor Apply(Tensor x, Pass pass) => _linear.Apply(WindowAverage.Apply(x, 4), pass);
    }
}
