using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed class TrainingStepTests
{
    private static readonly StepPosition s_afterWarmup = new(Epoch: 1, Step: 0, Steps: 3);

    /// <summary>Momentum and weight decay are off, so that a step moves the parameters by exactly -lr x gradient.</summary>
    private static readonly TrainOptions s_options = new()
    {
        Model = "mlp", Epochs = 10, Warmup = 1, Momentum = 0, WeightDecay = 0, Schedule = ScheduleKind.Constant, LearningRate = 1,
        Dom = DomAction.Remove, Steps = 2,
    };

    [TestCase(AttackKind.None)]
    [TestCase(AttackKind.Pgd)]
    public void A_removed_sample_moves_no_weight_but_still_counts_in_the_mean(AttackKind attack)
    {
        using var fixture = new Fixture();
        double threshold = Middle(fixture.Losses());
        var options = s_options with { Attack = attack, Threshold = threshold };
        var kept = Enumerable.Range(0, 8).Where(i => fixture.Losses()[i] > threshold).ToArray();
        Assert.That(kept, Has.Length.EqualTo(4), "the threshold halves the batch");

        var withAll = fixture.Move(options, [0, 1, 2, 3, 4, 5, 6, 7], out var figures);
        // The kept samples alone, in the mean over four: twice the step that DOM_RE takes.
        var alone = fixture.Move(options with { Dom = DomAction.Off }, kept, out _);
        Assert.That(figures.Kept, Is.EqualTo(4));
        Assert.That(withAll.Zip(alone, (a, b) => Math.Abs(2 * a - b)).Max(), Is.LessThan(1e-6));

        var byKept = fixture.Move(options with { ReNorm = ReNorm.Kept }, [0, 1, 2, 3, 4, 5, 6, 7], out _);
        Assert.That(byKept.Zip(alone, (a, b) => Math.Abs(a - b)).Max(), Is.LessThan(1e-6), "divided by the kept ones");
    }

    [TestCase(DomMode.Paper, 0, 2, false)]
    [TestCase(DomMode.Paper, 1, 0, true)]
    [TestCase(DomMode.Code, 0, 1, false)]
    [TestCase(DomMode.Code, 0, 2, true)]
    public void Paper_mode_starts_after_epoch_K_and_code_mode_with_its_last_step(DomMode mode, int epoch, int step, bool active) => Assert.That(
        new DomPolicy(DomAction.Remove, 0.2f, Warmup: 1, mode).IsActive(epoch, step, steps: 3), Is.EqualTo(active));

    [Test]
    public void A_loss_equal_to_the_threshold_is_removed_in_paper_mode_and_kept_in_code_mode()
    {
        using var fixture = new Fixture();
        float loss = fixture.Losses()[3];
        var options = s_options with { Threshold = loss };
        int below = fixture.Losses().Count(l => l < loss);
        fixture.Move(options, [0, 1, 2, 3, 4, 5, 6, 7], out var paper);
        fixture.Move(options with { DomMode = DomMode.Code }, [0, 1, 2, 3, 4, 5, 6, 7], out var code);
        Assert.That((paper.Kept, code.Kept), Is.EqualTo((8 - below - 1, 8 - below)));
    }

    [Test]
    public void Natural_training_with_removal_runs_one_forward_pass_and_the_attack_runs_no_weight_gradient()
    {
        using var recording = new RecordingBackend(new CpuBackend(1));
        using var fixture = new Fixture(recording, "preact-resnet8");
        recording.Clear();
        fixture.Move(s_options with { Threshold = 2 }, [0, 1, 2, 3], out _);
        int Count<T>() => recording.Calls.Count(call => call.Type == typeof(T));
        int layers = Count<Conv2dWeightGradient>();
        Assert.That((Count<Conv2dForward>(), Count<SoftmaxCrossEntropyStep>()), Is.EqualTo((layers, 1)));

        recording.Clear();
        fixture.Move(s_options with { Threshold = 2, Attack = AttackKind.Pgd }, [0, 1, 2, 3], out _);
        Assert.That(Count<Conv2dForward>(), Is.EqualTo(4 * layers), "natural pass, two attack steps, training pass");
        Assert.That(Count<Conv2dWeightGradient>(), Is.EqualTo(layers), "the training pass alone");
    }

    [Test]
    public void The_ledger_row_of_a_sample_holds_its_own_loss()
    {
        using var fixture = new Fixture();
        var expected = fixture.Losses();
        fixture.Move(s_options with { Threshold = 0 }, [6, 2, 5], out var figures);
        Assert.Multiple(() =>
        {
            Assert.That(figures.Losses, Is.EqualTo(new[] { expected[6], expected[2], expected[5] }).Within(1e-6));
            Assert.That(new[] { 6, 2, 5 }.Select(i => fixture.Ledger()[i * LedgerRow.Count]), Is.EqualTo(figures.Losses));
            Assert.That(fixture.Ledger()[0], Is.Zero, "a sample that was not in the batch");
        });
    }

    [TestCase(AttackKind.None, LossKind.CrossEntropy)]
    [TestCase(AttackKind.RsFgsm, LossKind.CrossEntropy)]
    [TestCase(AttackKind.Pgd, LossKind.Trades)]
    public void A_step_copies_to_the_host_once_whether_dom_removes_samples_or_not(AttackKind attack, LossKind loss)
    {
        using var backend = new ObservedBackend(new CpuBackend(1));
        var options = Runs.Small with { Attack = attack, Loss = loss, Epochs = 2, Warmup = 1 };
        using var trainer = new Trainer(options, TrainingData.Open(options), backend);
        for (int epoch = 0; epoch < 2; epoch++)
        {
            int before = backend.CopiesToHost;
            trainer.RunSteps(null, null, CancellationToken.None);
            Assert.That(backend.CopiesToHost - before, Is.EqualTo(trainer.Steps), $"epoch {epoch + 1}");
            trainer.FinishEpoch(0, null, CancellationToken.None);
        }
    }

    private static double Middle(float[] losses)
    {
        var sorted = losses.Order().ToArray();
        return (sorted[3] + sorted[4]) / 2.0;
    }

    /// <summary>Eight embedded images and a fresh network that is put back before each step.</summary>
    private sealed class Fixture : IDisposable
    {
        private readonly IBackend _backend;
        private readonly Network _network;
        private readonly DeviceSplit _split;
        private readonly Tensor _momentum, _natural, _adversarial;
        private readonly float[] _initial;

        public Fixture(IBackend? backend = null, string model = "mlp")
        {
            _backend = backend ?? new CpuBackend(1);
            var data = EmbeddedImages.Create(8, 8, seed: 3);
            _network = new Network(ModelCatalog.Create(model, 16, 16, 3, 10), _backend, seed: 2);
            _split = new DeviceSplit(data.Train, _backend);
            _momentum = Tensor.Persistent(_network.Arena.Shape, DType.F32, _backend, "test");
            _natural = Tensor.Persistent(Shape.Of(8, LedgerRow.Count), DType.F32, _backend, "test");
            _adversarial = Tensor.Persistent(Shape.Of(8, LedgerRow.Count), DType.F32, _backend, "test");
            _backend.Run(new Fill(_momentum.Write, 0));
            _initial = _network.Arena.ToFloats();
        }

        /// <summary>Natural losses of the eight images under the initial network.</summary>
        public float[] Losses()
        {
            using var scope = new TensorScope();
            _network.Arena.CopyFrom(_initial);
            var batch = Batch([0, 1, 2, 3, 4, 5, 6, 7]);
            return SoftmaxCrossEntropy.PerSample(_network.Apply(batch.Pixels, Pass.Train), batch.Labels).ToFloats();
        }

        public float[] Ledger() => _natural.ToFloats();

        /// <summary>By how much one step from the initial network moves each parameter.</summary>
        public float[] Move(TrainOptions options, int[] rows, out StepFigures figures)
        {
            using var scope = new TensorScope();
            _network.Arena.CopyFrom(_initial);
            _backend.Run(new Fill(_momentum.Write, 0));
            _backend.Run(new Fill(_natural.Write, 0));
            using var step = new TrainingStep(_network, _momentum, options, _natural, _adversarial);
            figures = step.Run(Batch(rows), s_afterWarmup).Read();
            return _network.Arena.ToFloats().Zip(_initial, (after, before) => after - before).ToArray();
        }

        public void Dispose()
        {
            foreach (var tensor in new[] { _momentum, _natural, _adversarial })
                tensor.Dispose();
            _split.Dispose();
            _network.Dispose();
            Assert.That(_backend.Memory.LiveBytes, Is.Zero, _backend.Memory.Report());
            _backend.Dispose();
        }

        private Batch Batch(int[] rows) => _split.Gather(rows, Augmentation.None, default);
    }
}
