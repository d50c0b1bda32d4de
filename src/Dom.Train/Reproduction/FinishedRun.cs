using System.Text.Json;
using Dom.Nn.StateDictionaries;
using Dom.Train.Training;

namespace Dom.Train.Reproduction;

/// <summary>What a finished run left.</summary>
/// <param name="Metrics">The figures of its epochs.</param>
/// <param name="AutoAttack">What AutoAttack found, where it was run.</param>
public sealed record FinishedRun(IReadOnlyList<EpochMetrics> Metrics, AutoAttackAccuracy? AutoAttack)
{
    private const string AccuracyFile = "autoattack.json";

    /// <summary>Reads a planned run's folder; null where the run is not there or not finished.</summary>
    /// <exception cref="OptionException">The folder holds a run with other settings.</exception>
    /// <exception cref="CheckpointException">A file is damaged.</exception>
    public static FinishedRun? Read(PlannedRun planned)
    {
        if (!File.Exists(planned.Folder.DescriptionFile))
            return null;
        RequireSame(planned);
        // Not by the number of epochs: figures are written before the checkpoint that belongs to them.
        return planned.Folder.ReadDescription().Status == "finished"
            ? new FinishedRun(planned.Folder.ReadMetrics(), ReadAutoAttack(planned.Folder))
            : null;
    }

    /// <summary>Refuses a folder with a run of other settings: its figures would be of something else.</summary>
    /// <exception cref="OptionException">The settings differ; the message names the first that does.</exception>
    public static void RequireSame(PlannedRun planned)
    {
        using var found = Json(planned.Folder.ReadDescription().Options);
        using var wanted = Json(planned.Options);
        var others = wanted.RootElement.EnumerateObject().ToDictionary(property => property.Name, property => property.Value.ToString());
        foreach (var property in found.RootElement.EnumerateObject())
        {
            others.Remove(property.Name, out string? expected);
            if (expected != property.Value.ToString())
                throw Different(property.Name, property.Value.ToString(), expected);
        }
        if (others.Count > 0)
            throw Different(others.First().Key, null, others.First().Value);

        OptionException Different(string name, string? was, string? expected) => new(
            $"{planned.Folder.Path}: the run there has {name} {was ?? "left out"}, {planned.Cell.Preset} asks for {expected ?? "none"}. "
            + "Choose another folder with --output, or give the options that the runs in this one were started with.");
    }

    /// <summary>What AutoAttack found in earlier calls; null where it was not run.</summary>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public static AutoAttackAccuracy? ReadAutoAttack(RunFolder folder)
    {
        string file = System.IO.Path.Combine(folder.Path, AccuracyFile);
        if (!File.Exists(file))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(file), RunJsonContext.Default.AutoAttackAccuracy);
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{file}: the file is damaged: {e.Message} Delete it to measure again.", e);
        }
    }

    /// <summary>Keeps what AutoAttack found beside the run.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void WriteAutoAttack(RunFolder folder, AutoAttackAccuracy figures) => AtomicFile.WriteText(
        System.IO.Path.Combine(folder.Path, AccuracyFile), JsonSerializer.Serialize(figures, RunJsonContext.Default.AutoAttackAccuracy) + "\n");

    // As a run's description holds them, but for where the data lie.
    private static JsonDocument Json(TrainOptions options) => JsonSerializer.SerializeToDocument(
        options.Resolved() with { DataDirectory = null }, RunJsonContext.Default.TrainOptions);
}
