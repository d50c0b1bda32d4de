using Dom.Kernels.Cpu;
using Dom.Nn;
using Dom.Nn.Models;
using Dom.Tensors;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed class RemoveSetTests
{
    private static readonly TrainOptions s_options = Runs.Small with { Epochs = 4, Warmup = 2, Threshold = 2.2 };

    [TestCase(RemoveSet.Original, AttackKind.None)]
    [TestCase(RemoveSet.Transformed, AttackKind.None)]
    [TestCase(RemoveSet.Transformed, AttackKind.RsFgsm)]
    public void A_run_interrupted_at_every_step_ends_with_the_bytes_of_an_undisturbed_one(RemoveSet set, AttackKind attack)
    {
        using var runs = new Runs();
        var options = s_options with { RemoveSet = set, Attack = attack };
        string whole = runs.Finish("whole", options), halting = runs.Folder("halting");
        using var backend = new CpuBackend(2);
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
        Runs.AssertSameResults(whole, halting);
    }

    [Test]
    public void Original_and_transformed_divide_what_all_removes_and_nothing_is_removed_up_to_K()
    {
        // The first step behind K is the last in which the three runs have the same network: what they remove there can be compared.
        using var backend = new CpuBackend(2);
        var kept = new Dictionary<RemoveSet, List<StepMetrics>>();
        foreach (var set in Enum.GetValues<RemoveSet>())
        {
            var options = s_options with { RemoveSet = set };
            using var trainer = new Trainer(options, TrainingData.Open(options), backend);
            var steps = kept[set] = [];
            while (steps.Count < 7)
            {
                using var cancel = new CancellationTokenSource();
                trainer.RunSteps(null, step =>
                {
                    steps.Add(step);
                    if (steps.Count == 7)
                        cancel.Cancel();
                }, cancel.Token);
                if (trainer.IsEpochDone)
                    trainer.FinishEpoch(double.NaN, null, default);
            }
        }
        Assert.That(kept.Values.SelectMany(steps => steps.Take(6)).Select(s => s.Kept), Is.EqualTo(Enumerable.Repeat(new[] { 32, 32, 16, 32, 32, 16 }, 3).SelectMany(x => x)));
        int Removed(RemoveSet set) => 32 - kept[set][6].Kept;
        Assert.That(Removed(RemoveSet.All), Is.Positive);
        Assert.That(Removed(RemoveSet.Original) + Removed(RemoveSet.Transformed), Is.EqualTo(Removed(RemoveSet.All)));
    }

    [Test]
    public void The_frozen_network_decides_in_evaluation_mode_who_is_original()
    {
        using var backend = new CpuBackend(1);
        var data = TrainingData.Open(s_options);
        var images = data.Train;
        Network New(ulong seed) => new(ModelCatalog.Create("preact-resnet8", images.Height, images.Width, images.Channels, 10), backend, seed, DataSets.Normalization(data));
        using var trained = New(7);
        using var auxiliary = new AuxiliaryModel(New(8));
        auxiliary.Freeze(trained);
        using var split = new DeviceSplit(images, backend);
        using var scope = new TensorScope();
        var batch = split.Gather([.. Enumerable.Range(0, 8)], Augmentation.None, default);
        float[] losses = Tensors.Ops.SoftmaxCrossEntropy.PerSample(trained.Apply(batch.Pixels, Pass.Evaluate), batch.Labels).ToFloats();
        float threshold = losses.Order().ElementAt(3); // with the paper's comparison a loss of exactly T is confident: four samples are
        float[] now = [0, 0, 0, 0, 0, 0, 1, 1]; // the first six are confident now
        float[] Expected(bool original) => [.. Enumerable.Range(0, 8).Select(i => now[i] == 0 && losses[i] <= threshold == original ? 0f : 1f)];
        foreach (var set in new[] { RemoveSet.Original, RemoveSet.Transformed })
        {
            var policy = new DomPolicy(DomAction.Remove, threshold, 1) { RemoveSet = set };
            var keep = auxiliary.Refine(Tensor.From(now, Shape.Of(8), backend), batch, policy, Precision.F32);
            Assert.That(keep.ToFloats(), Is.EqualTo(Expected(set == RemoveSet.Original)), set.ToString());
        }
        // What happens to the network behind it does not reach it.
        trained.Arena.CopyFrom(new float[trained.Arena.Count]);
        var again = auxiliary.Refine(Tensor.From(now, Shape.Of(8), backend), batch, new DomPolicy(DomAction.Remove, threshold, 1) { RemoveSet = RemoveSet.Original }, Precision.F32);
        Assert.That(again.ToFloats(), Is.EqualTo(Expected(original: true)));
    }

    [Test]
    public void A_set_without_removal_without_a_network_of_epoch_K_or_with_an_adaptive_threshold_is_refused()
    {
        void Refused(TrainOptions options, string said) =>
            Assert.That(options.Validate, Throws.TypeOf<OptionException>().With.Message.Contains("--remove-set").And.Message.Contains(said));
        Refused(s_options with { RemoveSet = RemoveSet.Original, Dom = DomAction.Off }, "--dom is remove");
        Refused(s_options with { RemoveSet = RemoveSet.Original, Warmup = 0 }, "--warmup 0");
        Refused(s_options with { RemoveSet = RemoveSet.Transformed, ThresholdKind = ThresholdKind.Mean }, "adaptive");
        Assert.That((s_options with { RemoveSet = RemoveSet.Transformed }).Validate, Throws.Nothing);
    }
}
