using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Nn.StateDictionaries;
using Dom.Oracles;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Train.Tests.Parity;

/// <summary>A step of TRADES on a WideResNet-16-2 of PyTorch's, against PyTorch: every step of its attack, its loss, all gradients.</summary>
/// <remarks>As in <see cref="AttackParityTests"/>, steps are compared from the same iterate, and a pixel may differ where the slope is nearly zero.</remarks>
public sealed class TradesParityTests
{
    private const int Steps = 3;
    private const ulong Seed = 11;

    private static readonly StepPosition s_position = new(Epoch: 0, Step: 1, Steps: 4);

    private readonly List<float[]> _iterates = [];
    private SafetensorsFile _answers = null!;
    private SafetensorsEntry[] _gradients = null!, _statistics = null!;
    private StepFigures _figures = null!;

    [OneTimeSetUp]
    public void Ask()
    {
        using var torch = PyTorch.OrSkip();
        torch.Run("trades.py", "make", ".");
        using var backend = new CpuBackend { Convolution = Kernels.Cpu.ConvolutionMethod.Direct };
        using (var network = NewNetwork(backend))
            Train(torch, network);
        Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
        torch.Run("trades.py", "step", ".");
        _answers = torch.Read("answers.safetensors");
    }

    // The start lies 0.001 from the clean image, where the divergence is about 1e-6 and its slope a difference of probabilities that f32 has few digits of.
    [TestCase(0, 0.05)]
    [TestCase(1, 1e-3)]
    [TestCase(2, 1e-3)]
    public void Every_step_of_the_attack_from_the_same_iterate_is_PyTorchs(int step, double nearlyZero)
    {
        float[] expected = _answers[$"x{step + 1}"].ToFloats(), slopes = _answers[$"gradient{step}"].ToFloats(), actual = _iterates[step + 1];
        double largest = slopes.Max(Math.Abs);
        int excused = 0, wrong = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            if (Math.Abs(actual[i] - expected[i]) <= 1e-6)
                continue;
            if (Math.Abs(slopes[i]) <= nearlyZero * largest)
                excused++;
            else
                wrong++;
        }
        TestContext.Out.WriteLine($"step {step + 1}: slopes up to {largest:0.0e+0}; of {actual.Length} pixels {wrong} wrong, {excused} excused");
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        Assert.That((wrong, excused), Is.LessThanOrEqualTo((0, actual.Length / 50)));
    }

    [Test]
    public void The_loss_of_every_sample_is_PyTorchs()
    {
        float[] expected = _answers["losses"].ToFloats();
        double difference = Difference.Relative(_figures.Losses, expected);
        TestContext.Out.WriteLine($"losses {string.Join(" ", expected.Select(l => $"{l:0.000}"))}; relative difference {difference:0.0e+0}");
        Assert.That(difference, Is.LessThan(1e-4));
    }

    [Test]
    public void Every_gradient_is_PyTorchs_through_both_passes()
    {
        var differences = _gradients.Select(e => (e.Name, Difference: Difference.Relative(e.ToFloats(), _answers["gradient." + e.Name].ToFloats()))).ToArray();
        var worst = differences.MaxBy(d => d.Difference);
        TestContext.Out.WriteLine($"worst relative difference of {differences.Length} gradients {worst.Difference:0.0e+0} ({worst.Name})");
        Assert.That(worst.Difference, Is.LessThan(1e-3), worst.Name);
    }

    [Test]
    public void Both_passes_update_the_running_statistics()
    {
        double worst = _statistics.Max(e => Difference.Relative(e.ToFloats(), _answers["statistics." + e.Name].ToFloats()));
        TestContext.Out.WriteLine($"worst relative difference of {_statistics.Length} running statistics {worst:0.0e+0}");
        Assert.That(worst, Is.LessThan(1e-5));
    }

    private void Train(PyTorch torch, Network network)
    {
        StateDictionary.Load(network, torch.Read("start.safetensors"));
        var backend = network.Backend;
        using var scope = new TensorScope();
        var file = torch.Read("batch.safetensors");
        var shape = Shape.Of(Array.ConvertAll(file["pixels"].Shape, size => (int)size));
        var ids = Tensor.From(Enumerable.Range(0, shape[0]).ToArray(), backend);
        var batch = new Batch(Tensor.From(file["pixels"].ToFloats(), shape, backend), Tensor.From(file["labels"].ToInt32(), backend), ids);
        var options = new TrainOptions
        {
            Attack = AttackKind.Pgd, Steps = Steps, Loss = LossKind.Trades, Seed = Seed, Momentum = 0, WeightDecay = 0, LearningRate = 1e-3,
        };
        for (int steps = 0; steps <= Steps; steps++)
        {
            _iterates.Add(TradesAttack.Run(network, batch.Pixels, ids, Pass.Evaluate, options.TrainAttack with { Steps = steps },
                RandomStream.For(Seed, RandomPurpose.Attack, s_position.Epoch, s_position.Global)).ToFloats());
        }
        SafetensorsFile.Write(torch["iterates.safetensors"], _iterates.Select((x, k) => SafetensorsEntry.FromFloats($"x{k}", file["pixels"].Shape, x)));

        var ledger = Filled.Create(Shape.Of(shape[0], LedgerRow.Count), 0, backend);
        using var step = new TrainingStep(network, Filled.Create(network.Arena.Shape, 0, backend), options, ledger, Filled.Create(ledger.Shape, 0, backend));
        _figures = step.Run(batch, s_position).Read();
        backend.Run(new Copy(network.GradientArena.Read, network.Arena.Write)); // under the names and in the layout of a state dictionary
        var entries = StateDictionary.Save(network);
        var parameters = network.Parameters.Select(p => p.Name).ToHashSet();
        var buffers = network.Buffers.Select(b => b.Name).ToHashSet();
        _gradients = [.. entries.Where(e => parameters.Contains(e.Name))];
        _statistics = [.. entries.Where(e => buffers.Contains(e.Name))];
    }

    private static Network NewNetwork(CpuBackend backend) => new(
        ModelCatalog.Create("wide-resnet16-2", 32, 32, 3, 10), backend, seed: 1, ([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]));
}
