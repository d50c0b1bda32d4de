using System.Text.Json;
using Dom.Nn;
using Dom.Nn.StateDictionaries;
using Dom.Tensors;

namespace Dom.Train.Training;

/// <summary>Where a run stands: all that is not a tensor and not in its options.</summary>
public sealed record RunState
{
    /// <summary>Epochs finished.</summary>
    public int Epoch { get; init; }

    /// <summary>Steps done in the epoch that is under way.</summary>
    public int Step { get; init; }

    /// <summary>Sample visits of the epoch that is under way that counted in the gradient.</summary>
    public long Kept { get; init; }

    /// <summary>Sample visits of the epoch under way that DOM_DA augmented.</summary>
    public long Selected { get; init; }

    /// <summary>Of those, the ones of which an augmented image had a loss that is large enough.</summary>
    public long Accepted { get; init; }

    /// <summary>Augmented images that DOM_DA drew in the epoch under way.</summary>
    public long Tries { get; init; }

    /// <summary>Sum of the losses that were trained on in the epoch under way, in nats.</summary>
    public double LossSum { get; init; }

    /// <summary>Robust test accuracy of the last epoch, 0..1; -1 where none was measured or nothing is watched.</summary>
    public double LastRobust { get; init; } = -1;

    /// <summary>The epoch, from 1, in which catastrophic overfitting was noticed first; 0 for none.</summary>
    public int CollapseEpoch { get; init; }

    /// <summary>The best clean test accuracy so far, 0..1, and the epoch (from 1) that reached it first.</summary>
    public double BestNatural { get; init; } = -1;

    /// <summary>Epoch of <see cref="BestNatural"/>, from 1; 0 for none.</summary>
    public int BestNaturalEpoch { get; init; }

    /// <summary>The best robust test accuracy so far, 0..1.</summary>
    public double BestRobust { get; init; } = -1;

    /// <summary>Epoch of <see cref="BestRobust"/>, from 1; 0 for none.</summary>
    public int BestRobustEpoch { get; init; }
}

/// <summary>
/// Files from which a run goes on, bit for bit: safetensors with the network under "model.", the momentum, the ledger of the epoch that is
/// under way, and, in the metadata, the options and the <see cref="RunState"/>. Random numbers need no state: they are functions of the position.
/// </summary>
public static class Checkpoint
{
    private const string Format = "dom-native checkpoint 1", Model = "model.", Auxiliary = "auxiliary.", Momentum = "optimizer.momentum";

    /// <summary>Writes a checkpoint, atomically.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Options of the run.</param>
    /// <param name="state">Where it stands.</param>
    /// <param name="network">The network.</param>
    /// <param name="momentum">The optimizer's momentum.</param>
    /// <param name="ledgers">Ledger tensors by name.</param>
    /// <param name="auxiliary">The network of epoch K, in a run that needs it.</param>
    /// <exception cref="IOException">It cannot be written; an older file of that name is still there.</exception>
    public static void Save(
        string path, TrainOptions options, RunState state, Network network, Tensor momentum, IEnumerable<(string Name, Tensor Ledger)> ledgers,
        Network? auxiliary = null)
    {
        var entries = StateDictionary.Save(network).Select(e => e with { Name = Model + e.Name }).ToList();
        entries.Add(SafetensorsEntry.FromFloats(Momentum, [momentum.Count], momentum.ToFloats()));
        foreach (var (name, ledger) in ledgers)
            entries.Add(SafetensorsEntry.FromFloats(name, [ledger.Shape[0], ledger.Shape[1]], ledger.ToFloats()));
        if (auxiliary is not null)
            entries.AddRange(StateDictionary.Save(auxiliary).Select(e => e with { Name = Auxiliary + e.Name }));
        Write(path, entries, options, state);
    }

    /// <summary>Writes only the network, under PyTorch's names, atomically: what an evaluation needs.</summary>
    /// <exception cref="IOException">It cannot be written; an older file of that name is still there.</exception>
    public static void SaveNetwork(string path, TrainOptions options, RunState state, Network network) =>
        Write(path, StateDictionary.Save(network), options, state);

    /// <summary>Restores what <see cref="Save"/> wrote.</summary>
    /// <exception cref="CheckpointException">The file is missing, torn, or of another model or data set.</exception>
    public static RunState Load(
        string path, Network network, Tensor momentum, IEnumerable<(string Name, Tensor Ledger)> ledgers, Network? auxiliary = null)
    {
        var file = SafetensorsFile.Read(path);
        var state = StateOf(file);
        Restore(file, Momentum, momentum);
        foreach (var (name, ledger) in ledgers)
            Restore(file, name, ledger);
        LoadNetwork(network, file);
        if (auxiliary is not null)
            StateDictionary.Load(auxiliary, Under(Auxiliary, file), file.Name);
        return state;
    }

    /// <summary>Restores the network from a checkpoint of either kind, or from a plain state dictionary.</summary>
    /// <exception cref="CheckpointException">The file is of another model.</exception>
    public static void LoadNetwork(Network network, SafetensorsFile file)
    {
        var entries = Under(Model, file);
        StateDictionary.Load(network, entries.Length == 0 ? file.Entries : entries, file.Name);
    }

    /// <summary>The options of the run that wrote the file, or null for a plain state dictionary.</summary>
    /// <exception cref="CheckpointException">The metadata are damaged.</exception>
    public static TrainOptions? OptionsOf(SafetensorsFile file) =>
        file.Metadata.TryGetValue("options", out string? json) ? Parse<TrainOptions>(file.Name, json) : null;

    private static SafetensorsEntry[] Under(string prefix, SafetensorsFile file) =>
        [.. file.Entries.Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(e => e with { Name = e.Name[prefix.Length..] })];

    private static RunState StateOf(SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue("format", out string? format) || !file.Metadata.TryGetValue("state", out string? json))
            throw new CheckpointException($"{file.Name}: this is a state dictionary and not a checkpoint of a run; nothing can be resumed from it.");
        if (format != Format)
            throw new CheckpointException($"{file.Name}: the format is '{format}', this version reads '{Format}'.");
        return Parse<RunState>(file.Name, json);
    }

    private static void Restore(SafetensorsFile file, string name, Tensor tensor)
    {
        var values = file[name].ToFloats();
        if (values.Length != tensor.Count)
            throw new CheckpointException(
                $"{file.Name}: '{name}' has {values.Length} numbers, this run needs {tensor.Count}; the file is of another model or data set.");
        tensor.CopyFrom(values);
    }

    private static void Write(string path, IEnumerable<SafetensorsEntry> entries, TrainOptions options, RunState state)
    {
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["options"] = JsonSerializer.Serialize(options with { DataDirectory = null }, RunJsonContext.Default.TrainOptions),
            ["state"] = JsonSerializer.Serialize(state, RunJsonContext.Default.RunState),
        };
        AtomicFile.Write(path, stream => SafetensorsFile.Write(stream, entries, metadata));
    }

    private static T Parse<T>(string file, string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, RunJson.TypeIn<T>(RunJson.Compact)) ?? throw new CheckpointException($"{file}: the metadata are empty.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{file}: the metadata are damaged: {e.Message}", e);
        }
    }
}
