using Dom.Kernels.Cpu;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Optimizers;
using Dom.Train.Training;

namespace Dom.Train.Tests.Parity;

/// <summary>Training on real images: CIFAR-10 (JPEG), ten classes, so chance is 10 %.</summary>
public sealed class RealImageTrainingTests
{
    private static readonly TrainOptions s_small = new()
    {
        Model = "preact-resnet8", Epochs = 4, Batch = 32, LearningRate = 0.05, Schedule = ScheduleKind.Cosine, Seed = 1,
    };

    private static readonly TrainOptions s_large = new()
    {
        Model = "preact-resnet18", Epochs = 3, Batch = 128, LearningRate = 0.05, Schedule = ScheduleKind.Cosine, Seed = 1,
    };

    // 500 held-out images: a guesser's accuracy has a standard deviation of 1.3 %, so 18 % is six of them above chance.
    [Test]
    public void A_small_network_learns_from_1000_real_images() => Train(s_small, RealImages.Load("00??.jpg", "00[0-4]?.jpg"), 0.18);

    [Test]
    public void A_small_network_learns_adversarially_with_low_losses_removed() =>
        Train(Adversarial(s_small, threshold: 2), RealImages.Load("00??.jpg", "00[0-4]?.jpg"), 0.15);

    [Test]
    [Explicit("minutes; run with --filter TestCategory=Slow")]
    [Category("Slow")]
    public void PreActResNet18_learns_from_5000_real_images_in_three_epochs() =>
        Train(s_large, RealImages.Load("0[0-4]??.jpg", "00??.jpg"), 0.25);

    [Test]
    [Explicit("many minutes; run with --filter TestCategory=Slow")]
    [Category("Slow")]
    public void PreActResNet18_learns_adversarially_with_low_losses_removed() =>
        Train(Adversarial(s_large, threshold: 1.8), RealImages.Load("0[0-4]??.jpg", "00??.jpg"), 0.2);

    private static TrainOptions Adversarial(TrainOptions options, double threshold) => options with
    {
        Attack = AttackKind.Pgd, Steps = 2, StepSize = 5, EvaluationSteps = 2, Dom = DomAction.Remove, Threshold = threshold, Warmup = 1,
    };

    private static void Train(TrainOptions options, DataSet data, double accuracy)
    {
        using var backend = new CpuBackend();
        var epochs = new List<EpochMetrics>();
        using (var trainer = new Trainer(options, data, backend))
        {
            while (!trainer.IsFinished)
            {
                var check = new RemovalCheck(trainer, options);
                double speed = trainer.RunSteps(null, _ => check.AfterStep(), CancellationToken.None);
                epochs.Add(trainer.FinishEpoch(speed, null, CancellationToken.None));
                var (epoch, losses) = (epochs[^1], trainer.LedgerRows()[LedgerColumns.NaturalLoss]);
                TestContext.Out.WriteLine($"epoch {epoch.Epoch}: loss {epoch.TrainLoss:0.000}, test accuracy {epoch.TestAccuracy:P1}, " +
                    $"robust {epoch.TestRobustAccuracy:P1}, removed {epoch.Removed:P1}, {epoch.ImagesPerSecond:0} images/s");
                double below = losses.Count(loss => loss <= (float)options.EffectiveThreshold) / (double)losses.Length;
                bool removes = options.Dom == DomAction.Remove && epoch.Epoch > options.EffectiveWarmup;
                Assert.That(epoch.Removed, Is.EqualTo(removes ? below : 0).Within(1e-9), $"share removed in epoch {epoch.Epoch}");
            }
        }
        Assert.Multiple(() =>
        {
            Assert.That(epochs[^1].TrainLoss, Is.LessThan(epochs[0].TrainLoss - 0.05), "the training loss falls");
            Assert.That(epochs[^1].TestAccuracy, Is.GreaterThan(accuracy), $"accuracy on {data.Test.Count} held-out images");
            if (options.Dom == DomAction.Remove)
                Assert.That(epochs[^1].Removed, Is.InRange(0.01, 0.99), "some samples are removed, not all");
            Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
        });
    }

    /// <summary>After every step: as many samples were removed as have a natural loss up to T in the ledger, from the rows of this step.</summary>
    private sealed class RemovalCheck(Trainer trainer, TrainOptions options)
    {
        private long _kept;

        public void AfterStep()
        {
            var ledger = trainer.Ledgers.First().Ledger.ToFloats();
            bool removes = options.Dom == DomAction.Remove && trainer.State.Epoch >= options.EffectiveWarmup;
            _kept += trainer.RowsOf(trainer.State.Step - 1)
                .Count(row => !removes || ledger[row * LedgerRow.Count + LedgerRow.Loss] > (float)options.EffectiveThreshold);
            Assert.That(trainer.State.Kept, Is.EqualTo(_kept), $"kept up to step {trainer.State.Step} of epoch {trainer.State.Epoch + 1}");
        }
    }
}
