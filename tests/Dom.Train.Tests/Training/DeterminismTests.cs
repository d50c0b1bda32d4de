using Dom.Kernels.Cpu;
using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed class DeterminismTests
{
    /// <summary>DOM_DA and its neighbours: every kind of draw, threshold and loss once.</summary>
    private static readonly TrainOptions[] s_distractions =
    [
        Runs.Small with { Dom = DomAction.Augment, Threshold = 2.4 },
        Runs.Small with { Dom = DomAction.Augment, Threshold = 2.4, DomMode = DomMode.Code, AugmentationDraw = AugmentationDraw.Sample, Attack = AttackKind.RsFgsm },
        Runs.Small with
        {
            Dom = DomAction.Augment, DomAugmentation = AugmentationKind.RandAugment, Attack = AttackKind.Pgd, ThresholdKind = ThresholdKind.Quantile,
            ThresholdFactor = 0.5, DomStrength = 0.3, StepSizeRamp = 2,
        },
        Runs.Small with { Augment = AugmentationKind.AugMix, ThresholdKind = ThresholdKind.Mean, ThresholdFactor = 1 },
        Runs.Small with { Augment = AugmentationKind.RandAugment, AugmentationDraw = AugmentationDraw.Sample, Loss = LossKind.Trades, Attack = AttackKind.Pgd },
        Runs.Small with { Dom = DomAction.Augment, Threshold = 2.4, Loss = LossKind.Trades, Attack = AttackKind.Pgd, ReNorm = ReNorm.Kept },
    ];

    private Runs _runs = null!;

    [SetUp]
    public void Open() => _runs = new Runs();

    [TearDown]
    public void Close() => _runs.Dispose();

    [TestCase(AttackKind.None)]
    [TestCase(AttackKind.Pgd)]
    [TestCase(AttackKind.NFgsm)]
    public void One_two_and_three_threads_leave_the_same_bytes(AttackKind attack)
    {
        var options = Runs.Small with { Attack = attack };
        string one = _runs.Finish("one", options, threads: 1);
        Runs.AssertSameResults(one, _runs.Finish("two", options, threads: 2));
        Runs.AssertSameResults(one, _runs.Finish("three", options, threads: 3));
    }

    [TestCase(AttackKind.Pgd, DomAction.Remove, LossKind.CrossEntropy)]
    [TestCase(AttackKind.Pgd, DomAction.Remove, LossKind.Trades)]
    [TestCase(AttackKind.RsFgsm, DomAction.Augment, LossKind.CrossEntropy)]
    [TestCase(AttackKind.None, DomAction.Augment, LossKind.CrossEntropy)]
    public void Holding_the_weights_during_a_step_and_an_evaluation_changes_no_byte(AttackKind attack, DomAction dom, LossKind loss)
    {
        var options = Runs.Small with { Attack = attack, Dom = dom, Loss = loss };
        string held = _runs.Finish("held", options);
        using var backend = new ObservedBackend(new CpuBackend(2)); // lets no promise through
        using var run = TrainingRun.Start(options, _runs.Folder("derived"), backend, 2, "test");
        Assert.That(run.Execute().IsFinished, Is.True);
        Runs.AssertSameResults(held, _runs.Folder("derived"));
    }

    [TestCaseSource(nameof(s_distractions))]
    public void One_two_and_three_threads_distract_alike(TrainOptions options)
    {
        string one = _runs.Finish("one", options, threads: 1);
        Runs.AssertSameResults(one, _runs.Finish("two", options, threads: 2));
        Runs.AssertSameResults(one, _runs.Finish("three", options, threads: 3));
        var metrics = new RunFolder(one).ReadMetrics();
        if (options.Dom == DomAction.Augment)
            Assert.That(metrics.Skip(1).Sum(m => m.Augmented), Is.GreaterThan(0), "otherwise nothing is tested");
        else
            Assert.That(metrics.Skip(1).Sum(m => m.Removed), Is.GreaterThan(0), "otherwise nothing is tested");
    }

    [TestCaseSource(nameof(s_distractions))]
    public void A_run_that_distracts_can_be_interrupted_after_every_step(TrainOptions options) => InterruptAfterEveryStep(options);

    [Test]
    public void Another_seed_leaves_other_bytes()
    {
        string one = _runs.Finish("one", Runs.Small), other = _runs.Finish("other", Runs.Small with { Seed = 5 });
        Assert.That(
            File.ReadAllBytes(Path.Combine(other, "checkpoints", "last.safetensors")),
            Is.Not.EqualTo(File.ReadAllBytes(Path.Combine(one, "checkpoints", "last.safetensors"))));
    }

    [TestCase(AttackKind.None)]
    [TestCase(AttackKind.RsFgsm)]
    [TestCase(AttackKind.NFgsm)]
    public void A_run_that_is_interrupted_after_every_step_and_resumed_ends_with_the_same_bytes(AttackKind attack) =>
        InterruptAfterEveryStep(Runs.Small with { Attack = attack });

    private void InterruptAfterEveryStep(TrainOptions options)
    {
        string undisturbed = _runs.Finish("undisturbed", options);
        using var backend = new CpuBackend(2);
        int interruptions = -1;
        var result = Interrupt(TrainingRun.Start(options, _runs.Folder("disturbed"), backend, 2, "test"));
        for (; !result.IsFinished; interruptions++)
            result = Interrupt(TrainingRun.Resume(_runs.Folder("disturbed"), backend, 2));
        Assert.That(interruptions, Is.GreaterThanOrEqualTo(options.Epochs * 3 - 1), "three steps an epoch");
        Runs.AssertSameResults(undisturbed, _runs.Folder("disturbed"));
        Assert.That(Figures(result.Metrics), Is.EqualTo(Figures(new RunFolder(undisturbed).ReadMetrics())));
        Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
    }

    [Test]
    public void What_a_kill_leaves_behind_the_last_checkpoint_is_cut_off_and_made_again()
    {
        string undisturbed = _runs.Finish("undisturbed", Runs.Small), folder = _runs.Folder("killed");
        using var backend = new CpuBackend(2);
        Interrupt(TrainingRun.Start(Runs.Small, folder, backend, 2, "test"));
        byte[] early = File.ReadAllBytes(new RunFolder(folder).Last);
        using (var rest = TrainingRun.Resume(folder, backend, 2))
            rest.Execute();
        File.WriteAllBytes(new RunFolder(folder).Last, early); // as if the process had died before any later checkpoint was renamed
        using (var again = TrainingRun.Resume(folder, backend, 2))
            Assert.That(again.Execute().Metrics, Has.Count.EqualTo(Runs.Small.Epochs));
        Runs.AssertSameResults(undisturbed, folder);
    }

    /// <summary>What is reproducible in the figures of a run.</summary>
    private static EpochMetrics[] Figures(IReadOnlyList<EpochMetrics> metrics) => [.. metrics.Select(m => m with { ImagesPerSecond = 0 })];

    /// <summary>Lets one step go by and cancels.</summary>
    private static RunResult Interrupt(TrainingRun run)
    {
        using (run)
        {
            using var source = new CancellationTokenSource();
            return run.Execute(new CancelAfterStep(source), source.Token);
        }
    }
}
