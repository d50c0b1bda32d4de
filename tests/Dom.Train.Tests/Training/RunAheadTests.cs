using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>Training on a device that works behind the host: the next step is queued before the figures of the last are read, and nobody can tell by the results.</summary>
public sealed class RunAheadTests
{
    /// <summary>Five steps an epoch, without running statistics, so that nothing is left of a step that moved no parameter.</summary>
    private static readonly TrainOptions s_options = Runs.Small with { Model = "mlp", Batch = 16, Dom = DomAction.Off, Momentum = 0.9, LearningRate = 0.05 };

    private static readonly TrainOptions[] s_kinds =
    [
        Runs.Small,
        Runs.Small with { Attack = AttackKind.Pgd },
        Runs.Small with { Attack = AttackKind.Pgd, Loss = LossKind.Trades },
        Runs.Small with { Attack = AttackKind.RsFgsm, Dom = DomAction.Augment, Threshold = 2.4 },
        Runs.Small with { RemoveSet = RemoveSet.Original },
    ];

    private Runs _runs = null!;

    [SetUp]
    public void Open() => _runs = new Runs();

    [TearDown]
    public void Close() => _runs.Dispose();

    [Test]
    public void A_step_is_queued_before_the_step_in_front_of_it_is_waited_for()
    {
        using var backend = new LateBackend(new CpuBackend(1));
        using var trainer = NewTrainer(s_options, backend);
        var told = new List<string>();
        trainer.RunSteps(new Told(told), step => told.Add($"after {step.Step}"), CancellationToken.None);
        Assert.Multiple(() =>
        {
            Assert.That(string.Join(", ", backend.Events), Is.EqualTo("step 1, step 2, wait 1, step 3, wait 2, step 4, wait 3, step 5, wait 4, wait 5"));
            Assert.That(backend.UnderWay, Is.Zero);
            Assert.That(told.Take(12), Is.EqualTo(new[]
            {
                "batch", "batch", "wait", "figures", "step 1", "after 1", "batch", "wait", "figures", "step 2", "after 2", "batch",
            }));
        });
    }

    [Test]
    public void Where_the_device_works_at_once_each_step_is_told_before_the_next_begins()
    {
        using var backend = new CpuBackend(1);
        using var trainer = NewTrainer(s_options, backend);
        var told = new List<string>();
        trainer.RunSteps(new Told(told), step => told.Add($"after {step.Step} {trainer.State.Step}"), CancellationToken.None);
        Assert.That(told, Is.EqualTo(Enumerable.Range(1, 5).SelectMany(n => new[] { "batch", "figures", $"step {n}", $"after {n} {n}" })));
    }

    [TestCaseSource(nameof(s_kinds))]
    public void A_run_leaves_the_bytes_of_one_whose_device_works_at_once(TrainOptions options)
    {
        string expected = Finish("at once", options, new CpuBackend(2)), late = Finish("late", options, new LateBackend(new CpuBackend(2)));
        Runs.AssertSameResults(expected, late);
        Assert.That(File.ReadAllText(new RunFolder(late).StepsFile), Is.EqualTo(File.ReadAllText(new RunFolder(expected).StepsFile)));
    }

    [TestCaseSource(nameof(s_kinds))]
    public void A_run_that_is_interrupted_again_and_again_ends_with_the_same_bytes(TrainOptions options)
    {
        string expected = Finish("undisturbed", options, new CpuBackend(2)), folder = _runs.Folder("disturbed");
        using var backend = new LateBackend(new CpuBackend(2));
        var run = TrainingRun.Start(options, folder, backend, 2, "test", logSteps: true);
        int interruptions = 0;
        for (; !Interrupt(run).IsFinished; interruptions++)
        {
            Assert.That(backend.UnderWay, Is.Zero);
            run = TrainingRun.Resume(folder, backend, 2);
        }
        Assert.That(interruptions, Is.GreaterThanOrEqualTo(options.Epochs), "in the middle of every epoch");
        Runs.AssertSameResults(expected, folder);
        Assert.That(File.ReadAllText(new RunFolder(folder).StepsFile), Is.EqualTo(File.ReadAllText(new RunFolder(expected).StepsFile)));
    }

    [Test]
    public void A_checkpoint_inside_an_epoch_is_of_the_step_that_it_counts()
    {
        foreach (bool isLate in (bool[])[false, true])
        {
            using var backend = new LateBackend(new CpuBackend(1)) { IsLate = isLate };
            using var trainer = NewTrainer(s_options, backend);
            trainer.RunSteps(null, step =>
            {
                if (step.Step == 3)
                    trainer.Save(_runs.Folder($"late {isLate}"));
            }, CancellationToken.None, settleEvery: 3);
        }
        Assert.That(File.ReadAllBytes(_runs.Folder("late True")), Is.EqualTo(File.ReadAllBytes(_runs.Folder("late False"))));
    }

    [Test]
    public void A_checkpoint_of_a_network_that_is_ahead_of_its_figures_is_refused()
    {
        using var backend = new LateBackend(new CpuBackend(1));
        using var trainer = NewTrainer(s_options, backend);
        Assert.That(() => trainer.RunSteps(null, _ => trainer.Save(_runs.Folder("none")), CancellationToken.None),
            Throws.InvalidOperationException.With.Message.EqualTo(
                "checkpoint: the run stands behind step 1 of epoch 1, and step 2 is under way; save after a step at which RunSteps settles, or when it has returned."));
        Assert.That(_runs.Folder("none"), Does.Not.Exist);
    }

    [Test]
    public void A_loss_that_is_not_finite_names_its_step_and_leaves_the_parameters_of_the_step_before(
        [Values] bool isLate, [Values(1, 3, 5)] int step, [Values(float.NaN, float.PositiveInfinity)] float bad)
    {
        using var cpu = new CpuBackend(1);
        using var undisturbed = NewTrainer(s_options, cpu);
        undisturbed.RunSteps(null, null, CancellationToken.None);
        using var backend = new LateBackend(new CpuBackend(1)) { IsLate = isLate, SpoiledLoss = step, Bad = bad };
        using var trainer = NewTrainer(s_options, backend);
        float[] before = ParametersAfter(step - 1);
        var told = new List<int>();
        var error = Assert.Throws<DivergedException>(() => trainer.RunSteps(null, s => told.Add(s.Step), CancellationToken.None))!;
        Assert.Multiple(() =>
        {
            Assert.That(error.Message, Is.EqualTo($"the loss became {bad} in epoch 1, step {step}."));
            Assert.That(told, Is.EqualTo(Enumerable.Range(1, step - 1)));
            Assert.That(trainer.State.Step, Is.EqualTo(step - 1));
            Assert.That(trainer.Network.Arena.ToFloats(), Is.EqualTo(before));
            Assert.That(backend.UnderWay, Is.Zero);
            Assert.That(trainer.Diagnose(watched => new NanTrapBackend(watched)), Is.EqualTo("when the step was repeated, all numbers were finite."));
        });
        // The loss is spoiled once: when the step is made again, the epoch ends as if nothing had been, the momentum's bytes too.
        trainer.RunSteps(null, s => told.Add(s.Step), CancellationToken.None);
        Assert.That(told, Is.EqualTo(Enumerable.Range(1, 5)));
        Assert.That(trainer.Network.Arena.ToFloats(), Is.EqualTo(undisturbed.Network.Arena.ToFloats()));
        Assert.That(trainer.State, Is.EqualTo(undisturbed.State));
    }

    [Test]
    public void A_run_goes_on_from_a_checkpoint_after_a_loss_was_not_finite([Values] bool isLate)
    {
        using var backend = new LateBackend(new CpuBackend(1)) { IsLate = isLate, SpoiledLoss = 3 };
        using var trainer = NewTrainer(s_options, backend);
        trainer.Save(_runs.Folder("start"));
        Assert.That(() => trainer.RunSteps(null, null, CancellationToken.None), Throws.TypeOf<DivergedException>());
        trainer.Load(_runs.Folder("start"));
        trainer.RunSteps(null, null, CancellationToken.None);
        using var cpu = new CpuBackend(1);
        using var undisturbed = NewTrainer(s_options, cpu);
        undisturbed.RunSteps(null, null, CancellationToken.None);
        Assert.That(trainer.Network.Arena.ToFloats(), Is.EqualTo(undisturbed.Network.Arena.ToFloats()));
    }

    [Test]
    public void Behind_an_exception_of_somebody_who_looks_on_nothing_is_under_way_and_the_state_is_that_of_the_network([Values] bool isLate)
    {
        using var backend = new LateBackend(new CpuBackend(1)) { IsLate = isLate };
        using var trainer = NewTrainer(s_options, backend);
        Assert.That(() => trainer.RunSteps(null, step => throw new IOException($"after {step.Step}"), CancellationToken.None),
            Throws.TypeOf<IOException>().With.Message.EqualTo("after 1"));
        Assert.That((backend.UnderWay, trainer.State.Step), Is.EqualTo((0, isLate ? 2 : 1)), "a step that was queued has happened");
        trainer.RunSteps(null, null, CancellationToken.None);
        using var cpu = new CpuBackend(1);
        using var undisturbed = NewTrainer(s_options, cpu);
        undisturbed.RunSteps(null, null, CancellationToken.None);
        Assert.That(trainer.Network.Arena.ToFloats(), Is.EqualTo(undisturbed.Network.Arena.ToFloats()));
        Assert.That(trainer.State, Is.EqualTo(undisturbed.State));
    }

    [Test]
    public void Where_a_step_cannot_be_queued_the_one_before_it_is_told_first([Values] bool isLate, [Values] bool diverges)
    {
        using var backend = new LateBackend(new CpuBackend(1)) { IsLate = isLate, FailingStep = 3, SpoiledLoss = diverges ? 2 : 0 };
        using var trainer = NewTrainer(s_options, backend);
        var told = new List<int>();
        var run = Assert.Catch(() => trainer.RunSteps(null, step => told.Add(step.Step), CancellationToken.None))!;
        Assert.That(run, diverges ? Is.TypeOf<DivergedException>() : Is.TypeOf<DeviceMemoryException>());
        Assert.That(told, Is.EqualTo(diverges ? new[] { 1 } : [1, 2]));
        Assert.That((backend.UnderWay, trainer.State.Step), Is.EqualTo((0, told.Count)));
    }

    private static Trainer NewTrainer(TrainOptions options, IBackend backend) => new(options, TrainingData.Open(options), backend);

    private static float[] ParametersAfter(int steps)
    {
        using var backend = new CpuBackend(1);
        using var trainer = NewTrainer(s_options, backend);
        using var cancel = new CancellationTokenSource();
        if (steps > 0)
        {
            trainer.RunSteps(null, step =>
            {
                if (step.Step == steps)
                    cancel.Cancel();
            }, cancel.Token);
        }
        return trainer.Network.Arena.ToFloats();
    }

    private string Finish(string name, TrainOptions options, IBackend backend)
    {
        using var owned = backend;
        using var run = TrainingRun.Start(options, _runs.Folder(name), backend, 2, "test", logSteps: true);
        run.CheckpointEvery = 2;
        Assert.That(run.Execute().IsFinished, Is.True);
        return _runs.Folder(name);
    }

    private static RunResult Interrupt(TrainingRun run)
    {
        using (run)
        {
            using var source = new CancellationTokenSource();
            return run.Execute(new CancelAfterStep(source), source.Token);
        }
    }

    private sealed class Told(List<string> events) : ITrainingObserver
    {
        public void StepDone(StepProgress progress) => events.Add($"step {progress.Position.Step + 1}");

        public void Evaluating(int done, int total) { }

        public void EpochDone(EpochMetrics metrics) { }

        public IDisposable? Begin(string part)
        {
            events.Add(part);
            return null;
        }
    }
}
