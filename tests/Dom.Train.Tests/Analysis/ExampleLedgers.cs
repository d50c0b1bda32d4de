using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Analysis;

/// <summary>Ledgers so small that every figure can be worked out by hand, in folders that go away with the object.</summary>
internal sealed class ExampleLedgers : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("dom-analysis-").FullName;

    /// <summary>Six samples, five epochs; T is 0.2 and K is 2. Samples 3 and 4 have wrong labels.</summary>
    /// <remarks>
    /// By epoch: 0 is confident early (original); 1 too, but rises above T in epoch 4; 2 and 3 turn confident in epoch 3, right behind K (transformed); 4
    /// turns confident in epoch 4 only; 5 never does.
    /// </remarks>
    public static float[][] Losses { get; } =
    [
        [0.30f, 0.40f, 2.0f, 3.0f, 3.0f, 2.0f],
        [0.10f, 0.15f, 1.0f, 2.0f, 3.0f, 2.0f],
        [0.05f, 0.15f, 0.1f, 0.1f, 1.0f, 1.0f],
        [0.05f, 0.35f, 0.1f, 0.1f, 0.1f, 1.0f],
        [0.10f, 0.45f, 0.2f, 0.15f, 0.1f, 0.5f],
    ];

    public static float[][] AdversarialLosses { get; } =
    [
        [1, 2, 3, 4, 5, 6],
        [1, 2, 3, 4, 5, 6],
        [2, 1, 3, 6, 5, 4],
        [1, 3, 2, 4, 5, 6],
        [6, 5, 4, 3, 2, 1],
    ];

    public LedgerStore Create(float[][] natural, float[][]? adversarial = null, bool labels = true, Dictionary<string, float[][]>? more = null)
    {
        var columns = new Dictionary<string, float[][]>(more ?? []) { [LedgerColumns.NaturalLoss] = natural };
        if (adversarial is not null)
            columns[LedgerColumns.AdversarialLoss] = adversarial;
        var store = LedgerStore.Create(Path.Combine(_root, Guid.NewGuid().ToString("N")), natural[0].Length, [.. columns.Keys]);
        if (labels)
        {
            store.WriteStatic(LedgerColumns.GivenLabel, [0, 1, 2, 3, 4, 5]);
            store.WriteStatic(LedgerColumns.TrueLabel, [0, 1, 2, 0, 0, 5]);
        }
        for (int epoch = 0; epoch < natural.Length; epoch++)
            store.Append(columns.ToDictionary(c => c.Key, c => c.Value[epoch]));
        return store;
    }

    public string Folder(string name) => Path.Combine(_root, name);

    /// <summary>Figures of a run without an attack.</summary>
    public static EpochMetrics Metrics(int epoch, double train, double test) => new()
    {
        Epoch = epoch, LearningRate = 0.1, TrainLoss = 1, TrainAccuracy = train, TestLoss = 1, TestAccuracy = test, HighConfidence = 0, Removed = 0, ImagesPerSecond = 1,
    };

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
