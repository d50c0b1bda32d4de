using Dom.Kernels.Cpu;
using Dom.Train.Analysis;
using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>Runs that collapse: against FGSM of a large radius without a random start, a small network learns to read the label out of the attack.</summary>
public sealed class CollapseRunTests
{
    private static readonly TrainOptions s_collapsing = new()
    {
        Data = "embedded", Model = "mlp", Attack = AttackKind.Fgsm, Epsilon = 48, Epochs = 18, EvaluationSteps = 10, LimitTrain = 500, LimitTest = 100, Batch = 32,
        LearningRate = 0.05, Schedule = ScheduleKind.Constant, WeightDecay = 0, CropPadding = 0, Flip = false, Threshold = 2,
    };

    [Test]
    public void A_run_that_is_to_stop_stops_behind_the_epoch_of_the_collapse_and_goes_on_when_it_is_resumed()
    {
        using var runs = new Runs();
        string warned = runs.Finish("warned", s_collapsing with { OnCollapse = CollapseResponse.Warn });
        var metrics = new RunFolder(warned).ReadMetrics();
        var first = metrics.Single(m => m.Collapse is not null);
        Assert.That((first.Collapse, first.Epoch), Is.EqualTo((CollapseSign.Gap, first.Epoch)));
        Assert.That(first.Epoch, Is.InRange(2, 17), "the collapse comes neither at once nor too late for this test");

        using var backend = new CpuBackend(2);
        string folder = runs.Folder("stopped");
        using (var run = TrainingRun.Start(s_collapsing with { OnCollapse = CollapseResponse.Stop }, folder, backend, 2, "test"))
        {
            var result = run.Execute();
            Assert.That((result.IsFinished, result.IsCollapsed, result.State.Epoch, result.State.CollapseEpoch), Is.EqualTo((false, true, first.Epoch, first.Epoch)));
            Assert.That(run.Folder.ReadDescription().Status, Is.EqualTo("collapsed"));
            Assert.That(RunReportBuilder.Build(run.Folder, run.Data).Note, Does.StartWith($"Catastrophic overfitting in epoch {first.Epoch}").And.Contain("stopped itself after"));
        }
        using (var run = TrainingRun.Resume(folder, backend, 2))
            Assert.That(run.Execute().IsFinished, Is.True, "an alarm that was heard is not raised again");
        foreach (string column in LedgerColumns.Adversarial)
        {
            Assert.That(LedgerStore.Open(new RunFolder(folder).Ledger).ReadColumn(column), Is.EqualTo(LedgerStore.Open(new RunFolder(warned).Ledger).ReadColumn(column)), column);
        }
    }

    [Test]
    public void Dom_removes_from_the_epoch_behind_the_collapse_on_and_a_run_interrupted_around_it_ends_with_the_same_bytes()
    {
        using var runs = new Runs();
        var options = s_collapsing with { OnCollapse = CollapseResponse.Dom };
        string whole = runs.Finish("whole", options);
        var metrics = new RunFolder(whole).ReadMetrics();
        int collapse = metrics.Single(m => m.Collapse is not null).Epoch;
        Assert.That(metrics.Take(collapse).Select(m => m.Removed), Has.All.Zero);
        Assert.That(metrics.Skip(collapse).Select(m => m.Removed), Has.Some.Positive);

        using var backend = new CpuBackend(2);
        string halting = runs.Folder("halting");
        var run = TrainingRun.Start(options, halting, backend, 2, "test");
        // In the last step before the switch, in the first one behind it, and in the middle of an epoch with it.
        foreach (long step in new long[] { collapse * 16 - 1, collapse * 16, collapse * 16 + 20 })
        {
            using (run)
            using (var cancel = new CancellationTokenSource())
                Assert.That(run.Execute(new CancelAt(step, cancel), cancel.Token).IsFinished, Is.False);
            run = TrainingRun.Resume(halting, backend, 2);
        }
        using (run)
            Assert.That(run.Execute().IsFinished, Is.True);
        Runs.AssertSameResults(whole, halting);
    }

    private sealed class CancelAt(long step, CancellationTokenSource source) : ITrainingObserver
    {
        public void StepDone(StepProgress progress)
        {
            if (progress.Position.Global >= step)
                source.Cancel();
        }

        public void Evaluating(int done, int total) { }

        public void EpochDone(EpochMetrics metrics) { }
    }
}
