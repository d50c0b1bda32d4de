using System.Text.Json.Nodes;
using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Nn.StateDictionaries;
using Dom.Tensors;
using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>Training in bf16, on the reference backend, the one on this processor that has bf16 kernels.</summary>
public sealed class PrecisionTests
{
    /// <summary>Two steps of eight 16x16 images an epoch: the reference is slow.</summary>
    private static readonly TrainOptions s_bf16 = new()
    {
        Precision = Precision.BF16, Epochs = 2, Batch = 8, LimitTrain = 16, LimitTest = 8, LearningRate = 0.05, Seed = 4, LabelNoise = 0.2,
        Dom = DomAction.Remove, Threshold = 1, Warmup = 1, EvaluationSteps = 1, Steps = 1,
    };

    private Runs _runs = null!;

    [SetUp]
    public void Open() => _runs = new Runs();

    [TearDown]
    public void Close() => _runs.Dispose();

    [Test]
    public void A_run_in_bf16_follows_the_run_in_f32()
    {
        var rounded = Train("bf16", s_bf16).Metrics;
        var exact = Train("f32", s_bf16 with { Precision = Precision.F32 }).Metrics;
        var differences = rounded.Zip(exact, (r, e) => Math.Abs(r.TrainLoss - e.TrainLoss)).ToArray();
        TestContext.Out.WriteLine($"losses in bf16 {string.Join(", ", rounded.Select(m => m.TrainLoss))}; differences {string.Join(", ", differences)}");
        Assert.That(differences.Max(), Is.InRange(1e-6, 5e-3), "nats, of losses above 2: bf16 was used, and did no harm");
    }

    [TestCase(AttackKind.None)]
    [TestCase(AttackKind.RsFgsm)]
    public void A_run_in_bf16_leaves_the_same_bytes_when_it_is_repeated_and_when_it_is_interrupted_and_resumed(AttackKind attack)
    {
        var options = s_bf16 with { Attack = attack };
        Train("one", options);
        Train("again", options);
        Runs.AssertSameResults(_runs.Folder("one"), _runs.Folder("again"));

        using var backend = new ReferenceBackend();
        var result = Interrupt(TrainingRun.Start(options, _runs.Folder("disturbed"), backend, 1, "test"));
        for (int i = 0; i < 8 && !result.IsFinished; i++)
            result = Interrupt(TrainingRun.Resume(_runs.Folder("disturbed"), backend, 1));
        Assert.That(result.IsFinished, Is.True);
        Runs.AssertSameResults(_runs.Folder("one"), _runs.Folder("disturbed"));
        Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
    }

    [Test]
    public void Natural_pass_attack_training_pass_and_evaluation_are_in_bf16_and_pixels_gradients_and_losses_in_f32()
    {
        using var recording = new RecordingBackend(new ReferenceBackend());
        var options = s_bf16 with { Attack = AttackKind.Pgd, Epochs = 1, LimitTrain = 4, LimitTest = 4, LabelNoise = 0 };
        using (var trainer = new Trainer(options, TrainingData.Open(options), recording))
        {
            trainer.RunSteps(null, null, CancellationToken.None);
            trainer.FinishEpoch(0, null, CancellationToken.None);
        }
        Type[] inF32 = [typeof(SignStep), typeof(SoftmaxCrossEntropyStep), typeof(SgdStep), typeof(NormalizeForward), typeof(NormalizeBackward)];
        Assert.Multiple(() =>
        {
            Assert.That(Of(recording, typeof(Conv2dForward), typeof(Conv2dInputGradient)).Select(view => view.Type), Is.All.EqualTo(DType.BF16));
            Assert.That(Of(recording, typeof(Conv2dWeightGradient)).Chunk(3).Select(v => (v[0].Type, v[1].Type, v[2].Type)),
                Is.All.EqualTo((DType.BF16, DType.BF16, DType.F32)));
            Assert.That(Of(recording, inF32).Where(view => view.Type.IsFloat()).Select(view => view.Type), Is.All.EqualTo(DType.F32));
            foreach (var call in inF32)
                Assert.That(Of(recording, call), Is.Not.Empty, call.Name);
            int layers = Of(recording, typeof(Conv2dWeightGradient)).Length / 3;
            Assert.That(Of(recording, typeof(Conv2dForward)), Has.Length.EqualTo(3 * 6 * layers),
                "natural pass, one attack step and training pass; clean evaluation, one attack step and the evaluation of what it made");
        });
    }

    [Test]
    public void The_precision_is_written_into_the_description_and_the_checkpoint_of_a_run()
    {
        Train("run", s_bf16 with { Epochs = 1, Model = "mlp" });
        var folder = new RunFolder(_runs.Folder("run"));
        Assert.Multiple(() =>
        {
            Assert.That(JsonNode.Parse(File.ReadAllText(folder.DescriptionFile))!["options"]!["precision"]!.GetValue<string>(), Is.EqualTo("bf16"));
            Assert.That(folder.ReadDescription().Options.Precision, Is.EqualTo(Precision.BF16));
            Assert.That(Checkpoint.OptionsOf(SafetensorsFile.Read(folder.Last))!.Precision, Is.EqualTo(Precision.BF16));
            Assert.That(Checkpoint.OptionsOf(SafetensorsFile.Read(folder.BestNatural))!.Precision, Is.EqualTo(Precision.BF16));
        });
    }

    [Test]
    public void A_run_from_before_there_was_a_choice_is_one_in_f32()
    {
        Train("run", s_bf16 with { Epochs = 1, Model = "mlp", Precision = Precision.F32 });
        var folder = new RunFolder(_runs.Folder("run"));
        var json = JsonNode.Parse(File.ReadAllText(folder.DescriptionFile))!;
        Assert.That(json["options"]!.AsObject().Remove("precision"), Is.True);
        File.WriteAllText(folder.DescriptionFile, json.ToJsonString());
        Assert.That(folder.ReadDescription().Options.Precision, Is.EqualTo(Precision.F32));
    }

    [Test]
    public void Presets_are_in_f32() => Assert.That(Presets.All.Select(preset => preset.Options.Precision), Is.All.EqualTo(Precision.F32));

    [Test]
    public void A_device_without_bf16_kernels_is_refused_before_anything_is_written_or_measured()
    {
        using var cpu = new CpuBackend(1);
        Assert.That(() => TrainingRun.Start(s_bf16, _runs.Folder("run"), cpu, 1, "test"), Throws.InstanceOf<OptionException>().With.Message.EqualTo(
            "--precision bf16: the cpu device computes in f32 only (it has no bf16 kernel for Conv2dForward); "
            + "use --device cuda:0 or reference, or --precision f32."));
        Assert.That(Directory.Exists(_runs.Folder("run")), Is.False);

        using var network = new Network(new Mlp(2, [], 2), cpu, seed: 1);
        using var split = new DeviceSplit(new ImageSplit([1, 2], [0], 1, 2, 1), cpu);
        Assert.That(
            () => Evaluation.Run(network, split, AttackOptions.None, precision: Precision.BF16),
            Throws.InstanceOf<OptionException>().With.Message.Contains("--precision f32"));
    }

    [Test]
    public void A_run_in_bf16_is_not_resumed_on_a_device_that_cannot_and_stays_as_it_was()
    {
        var options = s_bf16 with { Model = "mlp" };
        using (var reference = new ReferenceBackend())
            Interrupt(TrainingRun.Start(options, _runs.Folder("run"), reference, 1, "test"));
        string description = File.ReadAllText(new RunFolder(_runs.Folder("run")).DescriptionFile);
        using var cpu = new CpuBackend(1);
        Assert.That(() => TrainingRun.Resume(_runs.Folder("run"), cpu, 1),
            Throws.InstanceOf<OptionException>().With.Message.Contains("started with --precision bf16").And.Message.Contains("--device cuda:0 or reference"));
        Assert.That(File.ReadAllText(new RunFolder(_runs.Folder("run")).DescriptionFile), Is.EqualTo(description));
    }

    [TestCase("preact-resnet8")]
    [TestCase("wide-resnet16-2")]
    [TestCase("small-cnn")]
    [TestCase("mlp")]
    public void Every_call_that_a_network_makes_in_bf16_is_asked_for_before_a_run_begins(string model)
    {
        using var recording = new RecordingBackend(new ReferenceBackend());
        using (var network = new Network(ModelCatalog.Create(model, 12, 12, 3, 2), recording, seed: 1, ([.5f, .5f, .5f], [.25f, .25f, .25f])))
        using (var scope = new TensorScope())
        {
            var pixels = Filled.Create(Shape.Of(2, 12, 12, 3), 0.7f, recording);
            foreach (var mode in Enum.GetValues<BatchNormMode>())
            {
                using var tape = new Tape([pixels, .. network.ParameterTensors]);
                var logits = network.Apply(pixels, new Pass(mode, Precision.BF16));
                tape.Gradient(logits, Filled.Create(logits.Shape, 1, recording), network.GradientSlots);
            }
        }
        var calls = recording.Calls.Where(call => call.Views.Any(view => view.Type == DType.BF16)).Select(call => call.Type).Distinct().ToArray();
        Assert.That(calls, Is.Not.Empty);
        Assert.Multiple(() =>
        {
            foreach (var call in calls)
            {
                using var lacking = new ObservedBackend(new ReferenceBackend(), without: call);
                Assert.That(PrecisionSupport.MissingKernel(Precision.BF16, lacking), Is.EqualTo(call), call.Name);
                Assert.That(PrecisionSupport.MissingKernel(Precision.F32, lacking), Is.Null);
            }
        });
    }

    private RunResult Train(string name, TrainOptions options)
    {
        using var backend = new ReferenceBackend();
        using var run = TrainingRun.Start(options, _runs.Folder(name), backend, 1, "test");
        return run.Execute();
    }

    /// <summary>Lets one step go by and cancels.</summary>
    private static RunResult Interrupt(TrainingRun run)
    {
        using (run)
        {
            using var source = new CancellationTokenSource();
            return run.Execute(new CancelAfterStep(source), source.Token);
        }
    }

    private static View[] Of(RecordingBackend recording, params Type[] calls) =>
        [.. recording.Calls.Where(call => calls.Contains(call.Type)).SelectMany(call => call.Views)];
}
