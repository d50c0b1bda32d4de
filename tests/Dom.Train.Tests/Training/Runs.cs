using Dom.Kernels.Cpu;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>Small runs for tests, in folders that go away with the object.</summary>
internal sealed class Runs : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("dom-runs-").FullName;

    /// <summary>A network of 77,850 parameters, 80 images of 16x16, 3 steps an epoch.</summary>
    public static TrainOptions Small { get; } = new()
    {
        Epochs = 3, Batch = 32, LimitTrain = 80, LimitTest = 40, LabelNoise = 0.2, Seed = 4, Dom = DomAction.Remove,
        Threshold = 2.2, Warmup = 1, EvaluationSteps = 2, Steps = 2,
    };

    public string Folder(string name) => Path.Combine(_root, name);

    /// <summary>Runs to the end; returns the run's folder.</summary>
    public string Finish(string name, TrainOptions options, int threads = 2)
    {
        using var backend = new CpuBackend(threads);
        using var run = TrainingRun.Start(options, Folder(name), backend, threads, "test");
        Assert.That(run.Execute().IsFinished, Is.True);
        return Folder(name);
    }

    /// <summary>The contents of all files that must not depend on how a run came to its end.</summary>
    public static Dictionary<string, byte[]> Results(string folder) =>
        Directory.GetFiles(Path.Combine(folder, "ledger")).Concat(Directory.GetFiles(Path.Combine(folder, "checkpoints")))
            .ToDictionary(path => Path.GetRelativePath(folder, path), File.ReadAllBytes);

    public static void AssertSameResults(string expected, string actual)
    {
        Dictionary<string, byte[]> first = Results(expected), second = Results(actual);
        Assert.That(second.Keys, Is.EquivalentTo(first.Keys));
        foreach (var (name, bytes) in first)
            Assert.That(second[name].AsSpan().SequenceEqual(bytes), Is.True, $"{name} differs");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}

/// <summary>Cancels a run as soon as a step is done.</summary>
internal sealed class CancelAfterStep(CancellationTokenSource source) : ITrainingObserver
{
    public void StepDone(StepProgress progress) => source.Cancel();

    public void Evaluating(int done, int total) { }

    public void EpochDone(EpochMetrics metrics) { }
}
