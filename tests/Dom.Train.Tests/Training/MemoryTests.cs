using Dom.Kernels.Cpu;
using Dom.Tensors.Backend;
using Dom.Train.Attacks;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed class MemoryTests
{
    [TestCase(AttackKind.None)]
    [TestCase(AttackKind.Pgd)]
    public void Live_bytes_after_step_two_equal_those_after_step_two_hundred(AttackKind attack)
    {
        using var backend = new CpuBackend(2);
        var options = Runs.Small with { Attack = attack, Epochs = 100, Batch = 40, Warmup = 1 };
        using (var trainer = new Trainer(options, TrainingData.Open(options), backend))
        {
            var live = new List<long>();
            var peaks = new List<long>();
            while (live.Count < 200)
            {
                trainer.RunSteps(null, _ =>
                {
                    peaks.Add(backend.Memory.PeakBytes);
                    backend.Memory.ResetPeak();
                    live.Add(backend.Memory.LiveBytes);
                }, CancellationToken.None);
                trainer.FinishEpoch(0, null, CancellationToken.None);
                backend.Memory.ResetPeak();
            }
            Assert.That(live[199], Is.EqualTo(live[1]), backend.Memory.Report());
            Assert.That(peaks[199], Is.EqualTo(peaks[3]), "a step needs as much at its peak as it always did");
        }
        Assert.That(backend.Memory.LiveBytes, Is.Zero, backend.Memory.Report());
    }

    [Test]
    public void After_a_warm_up_step_the_same_step_gets_the_same_addresses()
    {
        using var recording = new RecordingBackend(new CpuBackend(2));
        var options = Runs.Small with { Epochs = 10, Batch = 40 };
        using var trainer = new Trainer(options, TrainingData.Open(options), recording);
        var steps = new List<View[]>();
        while (steps.Count < 6)
        {
            trainer.RunSteps(null, _ =>
            {
                steps.Add(recording.Calls.SelectMany(call => call.Views).ToArray());
                recording.Clear();
            }, CancellationToken.None);
            trainer.FinishEpoch(0, null, CancellationToken.None);
            recording.Clear();
        }
        Assert.That(steps[5], Is.EqualTo(steps[3]).AsCollection);
    }
}
