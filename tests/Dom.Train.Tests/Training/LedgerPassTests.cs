using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Analysis;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed class LedgerPassTests
{
    private static readonly TrainOptions s_options = Runs.Small with { Epochs = 2, Warmup = 1, LimitTrain = 40, Dom = DomAction.Off, LedgerPass = LedgerPassKind.Plain };

    [Test]
    public void The_pass_holds_the_losses_of_the_network_that_the_epoch_left()
    {
        using var runs = new Runs();
        string folder = runs.Finish("run", s_options);
        var ledger = LedgerStore.Open(new RunFolder(folder).Ledger);
        Assert.That(ledger.Columns, Is.EqualTo(LedgerColumns.Natural.Concat(["eval_natural_loss", "eval_natural_correct"])));

        // The last checkpoint is that network: its losses, computed in one batch in evaluation mode, are the row.
        using var backend = new CpuBackend(2);
        using var run = TrainingRun.Resume(folder, backend, 2);
        using var split = new DeviceSplit(run.Data.Train, backend);
        using var scope = new TensorScope();
        var batch = split.Gather([.. Enumerable.Range(0, 40)], Augmentation.None, default);
        var losses = SoftmaxCrossEntropy.PerSample(run.Trainer.Network.Apply(batch.Pixels, Pass.Evaluate), batch.Labels).ToFloats();
        Assert.That(ledger.ReadRow(LedgerColumns.EvaluationNaturalLoss, 1), Is.EqualTo(losses).Within(1e-5));
        Assert.That(ledger.ReadRow(LedgerColumns.EvaluationNaturalLoss, 1), Is.Not.EqualTo(ledger.ReadRow(LedgerColumns.NaturalLoss, 1)).Within(1e-3), "training saw other networks");
    }

    [Test]
    public void Training_is_the_same_with_and_without_the_pass()
    {
        using var runs = new Runs();
        string with = runs.Finish("with", s_options), without = runs.Finish("without", s_options with { LedgerPass = LedgerPassKind.Off });
        foreach (string column in LedgerColumns.Natural)
            Assert.That(LedgerStore.Open(new RunFolder(with).Ledger).ReadRow(column, 1), Is.EqualTo(LedgerStore.Open(new RunFolder(without).Ledger).ReadRow(column, 1)), column);
    }

    [TestCase(AttackKind.Pgd, false)]
    [TestCase(AttackKind.RsFgsm, true)]
    public void Adversarial_training_is_measured_under_attack_too_and_attacked_images_are_harder(AttackKind attack, bool hasFgsm)
    {
        using var runs = new Runs();
        var ledger = LedgerStore.Open(new RunFolder(runs.Finish("run", s_options with { Attack = attack, Epsilon = 16 })).Ledger);
        double Mean(string column) => ledger.ReadRow(column, 1).Average();
        Assert.That(Mean(LedgerColumns.EvaluationAdversarialLoss), Is.GreaterThan(Mean(LedgerColumns.EvaluationNaturalLoss)));
        Assert.That(ledger.Has(LedgerColumns.EvaluationFgsmLoss), Is.EqualTo(hasFgsm));
        if (hasFgsm)
            Assert.That(Mean(LedgerColumns.EvaluationFgsmLoss), Is.GreaterThan(Mean(LedgerColumns.EvaluationNaturalLoss)));
        var analysis = RunAnalyzer.Compute(ledger, [], new AnalysisSettings { Threshold = 2, Warmup = 1, Ranges = LossRanges.Adversarial });
        Assert.That(analysis.AdversarialColumn, Is.EqualTo(hasFgsm ? LedgerColumns.EvaluationFgsmLoss : LedgerColumns.EvaluationAdversarialLoss));
    }

    [Test]
    public void Epsilon_0_attacks_leave_the_natural_losses()
    {
        using var runs = new Runs();
        var ledger = LedgerStore.Open(new RunFolder(runs.Finish("run", s_options with { Attack = AttackKind.RsFgsm, Epsilon = 0 })).Ledger);
        Assert.That(ledger.ReadRow(LedgerColumns.EvaluationAdversarialLoss, 1), Is.EqualTo(ledger.ReadRow(LedgerColumns.EvaluationNaturalLoss, 1)));
        Assert.That(ledger.ReadRow(LedgerColumns.EvaluationFgsmLoss, 1), Is.EqualTo(ledger.ReadRow(LedgerColumns.EvaluationNaturalLoss, 1)));
    }

    [Test]
    public void The_augmented_pass_sees_other_images_and_depends_neither_on_threads_nor_on_interruptions()
    {
        using var runs = new Runs();
        var options = s_options with { LedgerPass = LedgerPassKind.Augmented, Attack = AttackKind.Fgsm };
        string two = runs.Finish("two", options), one = runs.Finish("one", options, threads: 1), plain = runs.Finish("plain", options with { LedgerPass = LedgerPassKind.Plain });
        Runs.AssertSameResults(two, one);
        float[] Losses(string folder) => LedgerStore.Open(new RunFolder(folder).Ledger).ReadRow(LedgerColumns.EvaluationNaturalLoss, 0);
        Assert.That(Losses(two), Is.Not.EqualTo(Losses(plain)).Within(1e-3));

        using var backend = new CpuBackend(2);
        string halting = runs.Folder("halting");
        var run = TrainingRun.Start(options, halting, backend, 2, "test");
        bool finished;
        do
        {
            using (run)
            using (var cancel = new CancellationTokenSource())
                finished = run.Execute(new CancelAfterStep(cancel), cancel.Token).IsFinished;
            if (!finished)
                run = TrainingRun.Resume(halting, backend, 2);
        }
        while (!finished);
        Runs.AssertSameResults(two, halting);
    }
}
