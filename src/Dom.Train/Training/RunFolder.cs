using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dom.Nn.StateDictionaries;

namespace Dom.Train.Training;

/// <summary>What <c>run.json</c> says: everything needed to do the run again.</summary>
public sealed record RunDescription
{
    /// <summary>The options with all defaults filled in.</summary>
    public required TrainOptions Options { get; init; }

    /// <summary>The command as it was typed.</summary>
    public required string CommandLine { get; init; }

    /// <summary>SHA-256 of the prepared data, see <see cref="Data.DataSet.Hash"/>.</summary>
    public required string DataHash { get; init; }

    /// <summary>Backend that computed, "cpu".</summary>
    public required string Device { get; init; }

    /// <summary>Threads of the CPU backend.</summary>
    public required int Threads { get; init; }

    /// <summary>How the CPU backend computes convolutions, "auto", "direct" or "winograd": the bits of the result depend on it, so a resumed run keeps it.</summary>
    /// <remarks>Absent where the backend has one way only, and in runs from before there was a choice, which were direct.</remarks>
    public string? Convolution { get; init; }

    /// <summary>True where the figures of every step are kept in <c>steps.jsonl</c>; absent where they are not.</summary>
    public bool? LogSteps { get; init; }

    /// <summary>Version of Dom.Native.</summary>
    public required string Version { get; init; }

    /// <summary>Version of .NET.</summary>
    public string Runtime { get; init; } = RuntimeInformation.FrameworkDescription;

    /// <summary>Operating system and architecture.</summary>
    public string System { get; init; } = $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.OSArchitecture}";

    /// <summary>When the run was started first.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it finished; absent while it runs or where it was stopped.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>"running", "interrupted", "collapsed" (stopped by --on-collapse stop), "failed" or "finished".</summary>
    public required string Status { get; init; }
}

/// <summary>The folder of a run: <c>run.json</c>, <c>metrics.jsonl</c>, <c>steps.jsonl</c> where it was asked for, <c>ledger/</c>, <c>checkpoints/</c>, <c>report.html</c>.</summary>
/// <param name="path">The folder.</param>
public sealed class RunFolder(string path)
{
    private const string Otherwise = "choose another folder";

    /// <summary>The folder.</summary>
    public string Path { get; } = path;

    /// <summary>The description.</summary>
    public string DescriptionFile => System.IO.Path.Combine(Path, "run.json");

    /// <summary>One line an epoch.</summary>
    public string MetricsFile => System.IO.Path.Combine(Path, "metrics.jsonl");

    /// <summary>One line a step, where the run keeps them.</summary>
    public string StepsFile => System.IO.Path.Combine(Path, "steps.jsonl");

    /// <summary>The ledger, see <see cref="Memorization.LedgerStore"/>.</summary>
    public string Ledger => System.IO.Path.Combine(Path, "ledger");

    /// <summary>Locked by the process that writes here, and gone when it has ended, see <see cref="Lock"/>.</summary>
    public string LockFile => System.IO.Path.Combine(Path, "run" + ExclusiveLock.Suffix);

    /// <summary>The report.</summary>
    public string ReportFile => System.IO.Path.Combine(Path, "report.html");

    /// <summary>The checkpoint from which the run goes on.</summary>
    public string Last => Checkpoints("last");

    /// <summary>The network with the best clean test accuracy.</summary>
    public string BestNatural => Checkpoints("best-natural");

    /// <summary>The network with the best robust test accuracy.</summary>
    public string BestRobust => Checkpoints("best-robust");

    /// <summary>Keeps other processes from writing here until the lock is disposed of; readers are not kept out.</summary>
    /// <exception cref="InUseException">Another process writes here.</exception>
    public ExclusiveLock Lock() => ExclusiveLock.Take(LockFile, Path, Otherwise);

    /// <summary>Sees to it that a new run overwrites nothing.</summary>
    /// <exception cref="InUseException">Another process writes here.</exception>
    /// <exception cref="OptionException">There is something in the folder already, or a file of its name.</exception>
    /// <exception cref="IOException">The folder cannot be looked into.</exception>
    public void RequireUnused()
    {
        ExclusiveLock.RequireFree(LockFile, Path, Otherwise);
        RequireEmpty();
    }

    private void RequireEmpty()
    {
        if (File.Exists(DescriptionFile))
            throw new OptionException($"--out {Path}: there is a run in this folder. Go on with it by --resume {Path}, or choose another folder.");
        if (File.Exists(Path))
            throw new OptionException($"--out {Path}: this is a file; name a folder that is empty or does not exist yet.");
        try
        {
            if (Directory.Exists(Path) && Directory.EnumerateFileSystemEntries(Path).Any(entry => !IsLeftOver(entry)))
                throw new OptionException($"--out {Path}: the folder is not empty; name one that is, or that does not exist yet.");
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"--out {Path}: the folder cannot be read: {e.Message}", e);
        }
    }

    /// <summary>What a run leaves that was killed before it had a description: nothing that anybody could miss.</summary>
    private bool IsLeftOver(string entry) =>
        entry == DescriptionFile + AtomicFile.TemporarySuffix
        || ExclusiveLock.IsPart(entry, LockFile)
        || (System.IO.Path.GetFileName(entry) == "checkpoints" && Directory.Exists(entry) && !Directory.EnumerateFileSystemEntries(entry).Any());

    /// <summary>Makes the folder for a new run and keeps other processes out of it.</summary>
    /// <exception cref="InUseException">Another process writes there.</exception>
    /// <exception cref="OptionException">There is something in it already.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    public ExclusiveLock Create()
    {
        RequireUnused();
        try
        {
            Directory.CreateDirectory(System.IO.Path.Combine(Path, "checkpoints"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"--out {Path}: the folder cannot be made: {e.Message}", e);
        }
        var held = Lock();
        try
        {
            // Once more, as now nobody else can come first.
            RequireEmpty();
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Writes the description, atomically.</summary>
    public void Write(RunDescription description) => AtomicFile.WriteText(
        DescriptionFile, JsonSerializer.Serialize(description, RunJson.TypeIn<RunDescription>(RunJson.Indented)) + "\n");

    /// <summary>Reads the description.</summary>
    /// <exception cref="CheckpointException">There is no run in the folder, or the file is damaged.</exception>
    public RunDescription ReadDescription()
    {
        if (!File.Exists(DescriptionFile))
            throw new CheckpointException($"{Path}: there is no run here; a run's folder holds a run.json.");
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(DescriptionFile), RunJson.TypeIn<RunDescription>(RunJson.Indented))
                ?? throw new CheckpointException($"{DescriptionFile}: the file is empty.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{DescriptionFile}: the file is damaged: {e.Message}", e);
        }
    }

    /// <summary>Adds the figures of an epoch.</summary>
    public void Append(EpochMetrics metrics)
    {
        try
        {
            File.AppendAllText(MetricsFile, JsonSerializer.Serialize(metrics, RunJsonContext.Default.EpochMetrics) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{MetricsFile}: the figures of epoch {metrics.Epoch} cannot be written: {e.Message}", e);
        }
    }

    /// <summary>The figures of the finished epochs.</summary>
    /// <exception cref="CheckpointException">A line is damaged.</exception>
    public IReadOnlyList<EpochMetrics> ReadMetrics(int epochs = int.MaxValue) => ReadLines(MetricsFile, epochs, RunJsonContext.Default.EpochMetrics);

    /// <summary>The figures of the steps so far; none where the run keeps none.</summary>
    /// <exception cref="CheckpointException">A line is damaged.</exception>
    public IReadOnlyList<StepMetrics> ReadSteps() => ReadLines(StepsFile, int.MaxValue, RunJsonContext.Default.StepMetrics);

    /// <summary>Forgets the figures of all but the first epochs: those after the checkpoint are made again.</summary>
    public void TruncateMetrics(int epochs)
    {
        var lines = File.Exists(MetricsFile) ? File.ReadLines(MetricsFile).Take(epochs).ToArray() : [];
        if (lines.Length < epochs)
            throw new CheckpointException($"{MetricsFile}: there are {lines.Length} epochs, the checkpoint has {epochs}; the file was cut.");
        AtomicFile.WriteText(MetricsFile, string.Concat(lines.Select(line => line + "\n")));
    }

    private static T[] ReadLines<T>(string file, int most, JsonTypeInfo<T> type)
    {
        if (!File.Exists(file))
            return [];
        try
        {
            return File.ReadLines(file).Take(most).Where(line => line.Length > 0).Select(line => JsonSerializer.Deserialize(line, type)!).ToArray();
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{file}: a line is damaged: {e.Message}", e);
        }
    }

    private string Checkpoints(string name) => System.IO.Path.Combine(Path, "checkpoints", $"{name}.safetensors");
}
