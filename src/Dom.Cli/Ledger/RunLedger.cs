using Dom.Nn.StateDictionaries;
using Dom.Train.Attacks;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Cli.Ledger;

/// <summary>The ledger of a run, with the run's description where there is one.</summary>
/// <param name="Store">The ledger.</param>
/// <param name="Description">What <c>run.json</c> says; null where a ledger stands alone.</param>
/// <param name="Folder">The run's folder; null where a ledger stands alone.</param>
internal sealed record RunLedger(LedgerStore Store, RunDescription? Description, RunFolder? Folder = null)
{
    /// <summary>T of natural training on CIFAR-10, used where neither the person nor a <c>run.json</c> gives one.</summary>
    public const float DefaultThreshold = 0.2f;

    /// <summary>Opens the ledger of a run's folder, or a ledger's folder itself.</summary>
    /// <exception cref="CheckpointException">There is none, or a file is damaged.</exception>
    public static RunLedger Open(string path)
    {
        var run = new RunFolder(path);
        if (Directory.Exists(run.Ledger) || File.Exists(run.DescriptionFile))
            return new RunLedger(LedgerStore.Open(run.Ledger), File.Exists(run.DescriptionFile) ? run.ReadDescription() : null, run);
        if (!Directory.Exists(path))
            throw new CheckpointException($"{path}: no such folder; expected the folder of a run, or the ledger/ in it.");
        var store = LedgerStore.Open(path);
        var parent = new RunFolder(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))) ?? path);
        bool belongs = File.Exists(parent.DescriptionFile) && Path.GetFullPath(parent.Ledger) == Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return belongs ? new RunLedger(store, parent.ReadDescription(), parent) : new RunLedger(store, null);
    }

    /// <summary>Whether the run trained on adversarial images.</summary>
    public bool IsAdversarial => Description is { } run ? run.Options.Attack != AttackKind.None : Store.Has(LedgerColumns.AdversarialLoss);

    /// <summary>Ranges of the loss that suit the run.</summary>
    public LossRanges Ranges => IsAdversarial ? LossRanges.Adversarial : LossRanges.Natural;

    /// <summary>T in nats: the given one, the run's, or the default.</summary>
    /// <exception cref="OptionException">The given one is no loss.</exception>
    public float ThresholdOr(double? given)
    {
        if (given is { } value && !(double.IsFinite(value) && value >= 0))
            throw new OptionException($"--threshold is {given}; it must be 0 or more: a loss in nats.");
        return (float)(given ?? Description?.Options.EffectiveThreshold ?? DefaultThreshold);
    }

    /// <summary>K in epochs: the given one, the run's, or half of the epochs.</summary>
    /// <exception cref="OptionException">The given one is beyond the ledger.</exception>
    public int WarmupOr(int? given)
    {
        if (given is { } value && (value < 1 || value > Store.Epochs))
            throw new OptionException($"--warmup is {given}; it must be between 1 and the {Store.Epochs} epochs of the ledger.");
        return given ?? Description?.Options.EffectiveWarmup ?? Store.Epochs / 2;
    }
}
