using System.Globalization;
using System.Text.RegularExpressions;
using Dom.Kernels.Cpu;
using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Train.Attacks;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed partial class MemoryNeedTests
{
    private static readonly TrainOptions s_options = Runs.Small with { Batch = 64, LimitTrain = 64 };

    [Test]
    public void A_step_is_sized_to_the_byte_that_it_takes([Values(AttackKind.None, AttackKind.Pgd)] AttackKind attack)
    {
        var options = s_options with { Attack = attack };
        using var cpu = new CpuBackend(1);
        using var sizing = new SizingBackend(cpu);
        var data = TrainingData.Open(options);
        foreach (IBackend backend in (IBackend[])[cpu, sizing])
        {
            using var trainer = new Trainer(options, data, backend);
            using var afterFirst = new CancellationTokenSource();
            trainer.RunSteps(null, _ => afterFirst.Cancel(), afterFirst.Token);
        }
        Assert.That(sizing.Memory.PeakBytes, Is.EqualTo(cpu.Memory.PeakBytes));
    }

    [Test]
    public void A_run_that_does_not_fit_names_a_batch_that_does()
    {
        using var cpu = new CpuBackend(1);
        var data = TrainingData.Open(s_options);
        long limit = MemoryNeed.OfStep(s_options, data, cpu) * 3 / 4;
        using var runs = new Runs();
        var error = Assert.Throws<DeviceMemoryException>(() => Run(s_options, "all"))!;
        var named = Batch().Match(error.Message);
        Assert.That(named.Success, Is.True, error.Message);
        int batch = int.Parse(named.Groups["batch"].Value, CultureInfo.InvariantCulture);
        Assert.That(batch, Is.InRange(1, s_options.Batch / 2));
        Assert.That(() => Run(s_options with { Batch = batch }, "smaller"), Throws.Nothing);

        void Run(TrainOptions options, string name)
        {
            using var device = new SizingBackend(cpu, limit);
            using var run = TrainingRun.Start(options with { Epochs = 1, Warmup = 0 }, runs.Folder(name), device, 1, "test");
            run.Execute();
        }
    }

    [Test]
    public void Where_no_batch_fits_zero_is_told()
    {
        using var cpu = new CpuBackend(1);
        Assert.That(MemoryNeed.LargestBatch(s_options, TrainingData.Open(s_options), cpu, capacity: 1000), Is.Zero);
    }

    [GeneratedRegex(@"A batch of (?<batch>\d+) would fit: start the run anew with --batch \k<batch>\.")]
    private static partial Regex Batch();
}
