using System.Text.Json;
using Dom.Nn.StateDictionaries;
using Dom.Train.Training;

namespace Dom.Train.Attacks;

/// <summary>The file of an evaluation: what is measured, and how far it is. Replaced as a whole after every batch.</summary>
public sealed record AutoAttackFile
{
    private const string CurrentFormat = "dom-native evaluation 1";

    /// <summary>Which format the file is in.</summary>
    public string Format { get; init; } = CurrentFormat;

    /// <summary>What is measured: everything on which the result depends, by the name of its option ("--epsilon").</summary>
    public IReadOnlyDictionary<string, string> Subject { get; init; } = new Dictionary<string, string>();

    /// <summary>Loss and accuracy on clean images, once they are measured.</summary>
    public EvaluationResult? Clean { get; init; }

    /// <summary>Loss and accuracy under PGD-20, once they are measured.</summary>
    public EvaluationResult? Pgd20 { get; init; }

    /// <summary>Where the strong attacks are, once they have begun.</summary>
    public AutoAttackState? State { get; init; }

    /// <summary>Reads a file and sees to it that it is of the same subject.</summary>
    /// <param name="path">The file.</param>
    /// <param name="subject">What is to be measured.</param>
    /// <exception cref="CheckpointException">It cannot be read, is damaged, or is of another evaluation; the message says what differs.</exception>
    public static AutoAttackFile Load(string path, IReadOnlyDictionary<string, string> subject)
    {
        AutoAttackFile file;
        try
        {
            file = JsonSerializer.Deserialize(File.ReadAllText(path), RunJson.TypeIn<AutoAttackFile>(RunJson.Compact))
                ?? throw new CheckpointException($"{path}: the file is empty.");
        }
        catch (JsonException e)
        {
            throw new CheckpointException($"{path}: this is no file of an evaluation, or a damaged one: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {DiskError.Describe(e)}.", e);
        }
        if (file.Format != CurrentFormat)
            throw new CheckpointException($"{path}: the format is '{file.Format}', this version reads '{CurrentFormat}'.");
        string[] differences =
        [
            .. subject.Keys.Union(file.Subject.Keys).Order(StringComparer.Ordinal)
                .Where(name => subject.GetValueOrDefault(name) != file.Subject.GetValueOrDefault(name))
                .Select(name => $"{name} was {file.Subject.GetValueOrDefault(name) ?? "not there"}, now it is {subject.GetValueOrDefault(name) ?? "not there"}"),
        ];
        if (differences.Length > 0)
            throw new CheckpointException($"{path} is of another evaluation: {string.Join("; ", differences)}. Give the same options, or another --output.");
        return file;
    }

    /// <summary>Writes the file, atomically.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Save(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, RunJson.TypeIn<AutoAttackFile>(RunJson.Indented)) + "\n");
}
