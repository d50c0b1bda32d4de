using Dom.Kernels.Cpu;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Augmentations;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>What a run with DOM_DA, an augmentation of every image, or TRADES tells of itself.</summary>
public sealed class DistractionRunTests
{
    private static readonly TrainOptions s_augment = Runs.Small with { Dom = DomAction.Augment, Threshold = 2.4, DomTries = 2 };

    [TestCase(AttackKind.None, LossKind.CrossEntropy)]
    [TestCase(AttackKind.RsFgsm, LossKind.CrossEntropy)]
    [TestCase(AttackKind.Pgd, LossKind.Trades)]
    public void Figures_of_an_epoch_are_those_of_its_steps(AttackKind attack, LossKind loss)
    {
        var options = s_augment with { Attack = attack, Loss = loss };
        using var backend = new CpuBackend(2);
        using var trainer = new Trainer(options, TrainingData.Open(options), backend);
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            var steps = new List<StepMetrics>();
            trainer.RunSteps(null, steps.Add, CancellationToken.None);
            var metrics = trainer.FinishEpoch(0, null, CancellationToken.None);
            int selected = steps.Sum(s => s.Selected!.Value), accepted = steps.Sum(s => s.Accepted!.Value), tries = steps.Sum(s => s.Tries!.Value);
            TestContext.Out.WriteLine($"epoch {epoch + 1}: selected {selected}, accepted {accepted}, tries {tries}");
            Assert.Multiple(() =>
            {
                Assert.That(metrics.Augmented, Is.EqualTo(selected / 80.0));
                Assert.That(metrics.Accepted, Is.EqualTo(accepted / 80.0));
                Assert.That(metrics.Tries, Is.EqualTo(selected == 0 ? null : tries / (double)selected));
                Assert.That(metrics.Removed, Is.Zero, "DOM_DA leaves nobody out");
                Assert.That(steps.Sum(s => s.Kept), Is.EqualTo(80));
                Assert.That(selected, epoch == 0 ? Is.Zero : Is.GreaterThan(0), "K is 1");
                Assert.That(tries, Is.InRange(selected, 2 * selected));
                double trained = steps.Zip([32, 32, 16], (step, images) => step.Loss * images).Sum() / 80;
                Assert.That(metrics.TrainLoss, Is.EqualTo(trained).Within(1e-6), "the loss of what was trained on");
            });
        }
    }

    [Test]
    public void Before_the_warm_up_is_over_the_ledger_is_that_of_a_run_without_dom_and_later_it_has_the_images_before_they_were_augmented()
    {
        using var backend = new CpuBackend(2);
        float[][] Ledgers(TrainOptions options)
        {
            using var trainer = new Trainer(options, TrainingData.Open(options), backend);
            var ledgers = new List<float[]>();
            for (int epoch = 0; epoch < 2; epoch++)
            {
                trainer.RunSteps(null, null, CancellationToken.None);
                ledgers.Add(trainer.LedgerRows()[LedgerColumns.NaturalLoss]);
                trainer.FinishEpoch(0, null, CancellationToken.None);
            }
            return [.. ledgers];
        }
        float[][] off = Ledgers(s_augment with { Dom = DomAction.Off, DomTries = null }), augmented = Ledgers(s_augment);
        // The first batch of the second epoch meets the same weights; from its step on they part.
        using var first = new Trainer(s_augment, TrainingData.Open(s_augment), backend);
        first.RunSteps(null, null, CancellationToken.None);
        first.FinishEpoch(0, null, CancellationToken.None);
        int[] rows = first.RowsOf(0);
        Assert.Multiple(() =>
        {
            Assert.That(augmented[0], Is.EqualTo(off[0]));
            Assert.That(rows.Select(row => augmented[1][row]), Is.EqualTo(rows.Select(row => off[1][row])), "first batch after the warm-up");
            Assert.That(augmented[1], Is.Not.EqualTo(off[1]), "the rest");
        });
    }

    [Test]
    public void Every_image_is_augmented_from_the_first_epoch_on([Values(AugmentationKind.AugMix, AugmentationKind.RandAugment)] AugmentationKind kind)
    {
        using var backend = new CpuBackend(2);
        var options = Runs.Small with { Dom = DomAction.Off };
        float[] FirstLosses(TrainOptions o)
        {
            using var trainer = new Trainer(o, TrainingData.Open(o), backend);
            trainer.RunSteps(null, null, CancellationToken.None);
            return [.. trainer.RowsOf(0).Select(row => trainer.LedgerRows()[LedgerColumns.NaturalLoss][row])];
        }
        float[] plain = FirstLosses(options), augmented = FirstLosses(options with { Augment = kind, AugmentationDraw = AugmentationDraw.Sample });
        int changed = plain.Zip(augmented).Count(pair => pair.First != pair.Second);
        TestContext.Out.WriteLine($"{changed} of {plain.Length} first losses changed");
        Assert.That(changed, Is.GreaterThan(plain.Length * 3 / 4));
    }

    [Test]
    public void A_draw_of_each_image_does_not_depend_on_the_batch_and_a_shared_one_does()
    {
        // With a rate near 0 the weights stay, and a loss in the ledger is one of the image alone: batch norm looks at running statistics in no training pass, so the network has none.
        float[] Losses(AugmentationDraw draw, int batch)
        {
            var options = Runs.Small with
            {
                Model = "mlp", Dom = DomAction.Off, Augment = AugmentationKind.RandAugment, AugmentationDraw = draw, Batch = batch, LearningRate = 1e-30, WeightDecay = 0,
            };
            using var backend = new CpuBackend(2);
            using var trainer = new Trainer(options, TrainingData.Open(options), backend);
            trainer.RunSteps(null, null, CancellationToken.None);
            return trainer.LedgerRows()[LedgerColumns.NaturalLoss];
        }
        Assert.That(Losses(AugmentationDraw.Sample, 16), Is.EqualTo(Losses(AugmentationDraw.Sample, 32)).Within(1e-5));
        Assert.That(Losses(AugmentationDraw.Batch, 16), Is.Not.EqualTo(Losses(AugmentationDraw.Batch, 32)).Within(1e-5));
    }

    [Test]
    public void Images_of_two_channels_are_refused_by_name()
    {
        var split = new ImageSplit(new byte[4 * 8 * 8 * 2], [0, 1, 0, 1], 8, 8, 2);
        var data = new DataSet("pairs", split, split, ["a", "b"]);
        using var backend = new CpuBackend(1);
        var options = new TrainOptions { Model = "mlp", Data = "pairs", Dom = DomAction.Augment, CropPadding = 0, Flip = false };
        Assert.That(() => new Trainer(options, data, backend), Throws.TypeOf<OptionException>().With.Message.Contains("2 channels").And.Message.Contains("--dom augment"));
        Assert.That(backend.Memory.LiveBytes, Is.Zero);
    }

    [Test]
    public void Reports_show_what_was_augmented_and_accepted()
    {
        using var runs = new Runs();
        string folder = runs.Finish("run", s_augment with { ThresholdKind = ThresholdKind.Mean, ThresholdFactor = 1 });
        var report = Train.Reports.RunReportBuilder.Build(new RunFolder(folder), TrainingData.Open(s_augment));
        string page = Train.Reports.ReportPage.Render(report);
        var last = new RunFolder(folder).ReadMetrics()[^1];
        Assert.Multiple(() =>
        {
            Assert.That((report.Epochs[^1].RemovedShare, report.Epochs[^1].AcceptedShare), Is.EqualTo((last.Augmented, last.Accepted)));
            Assert.That(page, Does.Contain("Augmented by DOM").And.Contain("above T after it").And.Contain("1 x the batch&#39;s mean loss").Or.Contain("1 x the batch's mean loss"));
            Assert.That(File.ReadAllText(new RunFolder(folder).MetricsFile), Does.Contain("\"augmented\":").And.Contain("\"accepted\":").And.Contain("\"tries\":"));
        });
    }
}
