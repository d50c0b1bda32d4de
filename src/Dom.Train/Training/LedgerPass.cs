using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Memorization;

namespace Dom.Train.Training;

/// <summary>Whether every epoch ends with a pass over the training images, and what it looks at.</summary>
public enum LedgerPassKind
{
    /// <summary>No pass: the ledger holds the losses of training.</summary>
    Off,

    /// <summary>The images as they are.</summary>
    Plain,

    /// <summary>Freshly cropped and flipped images, as the authors' code evaluates on.</summary>
    Augmented,
}

/// <summary>
/// What the analysis of DOM (ICLR 2024, section 3) looks at: losses of all training samples after an epoch, network in evaluation mode; under attack too
/// where training attacks: by PGD-10, and by FGSM besides where the training attack has a single step.
/// </summary>
internal static class LedgerPass
{
    /// <summary>Random numbers of the pass coincide neither with those of training nor with those of the evaluation on test images.</summary>
    private const long Step = (1L << 31) + 1;

    /// <summary>The attacks of the pass in the order of their columns: none in natural training.</summary>
    public static IReadOnlyList<AttackOptions> AttacksOf(TrainOptions options) => options.Attack switch
    {
        AttackKind.None => [],
        AttackKind.Pgd => [Pgd(options)],
        _ => [Pgd(options), AttackOptions.Create(AttackKind.Fgsm, options.Epsilon, norm: options.Norm)],
    };

    /// <summary>The columns that the pass fills.</summary>
    public static IReadOnlyList<string> ColumnsOf(TrainOptions options) => options.LedgerPass == LedgerPassKind.Off
        ? []
        : LedgerColumns.Evaluation(options.Attack != AttackKind.None, options.Attack is not (AttackKind.None or AttackKind.Pgd));

    /// <summary>Samples that the pass counts: those of the split once for every pass over it.</summary>
    public static int SamplesOf(TrainOptions options, int samples) =>
        options.LedgerPass == LedgerPassKind.Off ? 0 : samples * (1 + AttacksOf(options).Count);

    /// <summary>Makes the pass.</summary>
    /// <param name="network">The network; nothing of it changes.</param>
    /// <param name="train">The training images.</param>
    /// <param name="options">The run's.</param>
    /// <param name="epoch">The epoch that is over, from 0.</param>
    /// <param name="progress">Called with the number of samples done.</param>
    /// <param name="cancel">Stops between batches and between steps of an attack.</param>
    /// <returns>A row [samples] for each of <see cref="ColumnsOf"/>.</returns>
    /// <exception cref="OperationCanceledException">Canceled.</exception>
    public static Dictionary<string, float[]> Run(
        Network network, DeviceSplit train, TrainOptions options, int epoch, Action<int>? progress, CancellationToken cancel)
    {
        var pass = Pass.Evaluate with { Precision = options.Precision };
        var attacks = AttacksOf(options);
        var view = options.LedgerPass == LedgerPassKind.Augmented ? options.Augmentation : Augmentation.None;
        var augmentation = RandomStream.For(options.Seed, RandomPurpose.Augmentation, epoch, Step);
        var starts = RandomStream.For(options.Seed, RandomPurpose.Attack, epoch, Step);
        using var held = network.HoldParameters();
        Tensor[] ledgers = [.. Enumerable.Range(0, 1 + attacks.Count).Select(_ =>
            Tensor.Persistent(Shape.Of(train.Count, LedgerRow.Count), DType.F32, network.Backend, "ledger pass"))];
        try
        {
            int done = 0;
            for (int start = 0; start < train.Count; start += options.Batch)
            {
                cancel.ThrowIfCancellationRequested();
                using var scope = new TensorScope();
                int[] rows = [.. Enumerable.Range(start, Math.Min(options.Batch, train.Count - start))];
                var batch = train.Gather(rows, view, augmentation);
                Record(batch.Pixels, ledgers[0]);
                for (int i = 0; i < attacks.Count; i++)
                    Record(Attack.Run(network, batch.Pixels, batch.Labels, batch.SampleIds, pass, attacks[i], starts, null, cancel), ledgers[i + 1]);

                void Record(Tensor images, Tensor ledger)
                {
                    SoftmaxCrossEntropy.Step(network.Apply(images, pass), batch.Labels, batch.SampleIds, ledger, wantsGradient: false);
                    progress?.Invoke(done += rows.Length);
                }
            }
            return Rows(ColumnsOf(options), ledgers);
        }
        finally
        {
            foreach (var ledger in ledgers)
                ledger.Dispose();
        }
    }

    // Columns come in pairs: loss, correct.
    private static Dictionary<string, float[]> Rows(IReadOnlyList<string> columns, Tensor[] ledgers)
    {
        var rows = new Dictionary<string, float[]>();
        for (int i = 0; i < ledgers.Length; i++)
        {
            float[] values = ledgers[i].ToFloats();
            rows.Add(columns[2 * i], Column(values, LedgerRow.Loss));
            rows.Add(columns[2 * i + 1], Column(values, LedgerRow.Correct));
        }
        return rows;
    }

    private static float[] Column(float[] ledger, int column)
    {
        var values = new float[ledger.Length / LedgerRow.Count];
        for (int row = 0; row < values.Length; row++)
            values[row] = ledger[row * LedgerRow.Count + column];
        return values;
    }

    private static AttackOptions Pgd(TrainOptions options) => AttackOptions.Create(AttackKind.Pgd, options.Epsilon, null, 10, options.Norm);
}
