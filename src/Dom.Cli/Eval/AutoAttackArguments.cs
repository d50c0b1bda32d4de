using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using Dom.Nn.StateDictionaries;
using Dom.Train;
using Dom.Train.Attacks;
using Dom.Train.Data;
using Dom.Train.Reports;
using Dom.Train.Training;

namespace Dom.Cli.Eval;

/// <summary>The options of <c>dom eval</c> that are about AutoAttack and its parts.</summary>
internal sealed class AutoAttackArguments
{
    /// <summary>The attacks that these options are about, by the name that <c>--attack</c> takes.</summary>
    public static readonly IReadOnlyList<(string Name, EvaluationAttackKind[] Attacks)> Known =
    [
        ("apgd-ce", [EvaluationAttackKind.ApgdCe]), ("apgd-t", [EvaluationAttackKind.ApgdT]), ("fab-t", [EvaluationAttackKind.FabT]),
        ("square", [EvaluationAttackKind.Square]), ("autoattack", [.. AutoAttackOptions.Standard]),
    ];

    private readonly Option<string?> _batch = Given.Option("--attack-batch", "N",
        "Images attacked at once by autoattack and its parts; those that were not fooled are put into full batches again for the next attack. Default: 250.");

    private readonly Option<string?> _loss = Given.Option("--attack-loss", "dlr|margin",
        "What apgd-t raises: dlr, the difference of logits ratio, which needs 4 classes and belongs to the standard; or margin, which needs 2. Default: dlr.");

    private readonly Option<string?> _output = Given.Option("--output", "FILE",
        "Write how far autoattack is, and the verdict on every image, to FILE after every batch, as JSON.");

    private readonly Option<bool> _resume = Given.Switch("--resume",
        "Go on with the evaluation in --output FILE where it was stopped; the result is the one it would have had.");

    /// <summary>The options.</summary>
    public IEnumerable<Option> Options => [_batch, _loss, _output, _resume];

    /// <summary>The strong attacks that were asked for, or null where it was another attack or none.</summary>
    /// <exception cref="OptionException">An option of this group was given for another attack.</exception>
    public EvaluationAttackKind[]? Attacks(ParseResult parse, Option<string?> attack)
    {
        var attacks = Known.FirstOrDefault(known => known.Name.Equals(parse.Text(attack), StringComparison.OrdinalIgnoreCase)).Attacks;
        if (attacks is null && Options.FirstOrDefault(parse.Has) is { } option)
            throw new OptionException($"{option.Name} is about {string.Join(", ", Known.Select(known => known.Name))}; give one of them as {attack.Name}.");
        return attacks;
    }

    /// <summary>What is to be run, but for the radius, the seed and the precision.</summary>
    /// <exception cref="OptionException">A value makes no sense.</exception>
    public AutoAttackOptions Read(ParseResult parse, EvaluationAttackKind[] attacks)
    {
        int batch = parse.Whole(_batch) ?? 250;
        if (batch < 1)
            throw new OptionException($"{_batch.Name} is {batch}; it must be at least 1.");
        return new AutoAttackOptions
        {
            Attacks = attacks,
            Budget = new AttackBudget(0, 0),
            Batch = batch,
            UsesMargin = parse.Choice(_loss, ("dlr", false), ("margin", true)) ?? false,
        };
    }

    /// <summary>The file of the evaluation, or null.</summary>
    /// <exception cref="OptionException">There is no such folder, or the option is missing.</exception>
    public string? Output(ParseResult parse)
    {
        string? path = parse.Text(_output);
        bool resumes = parse.GetValue(_resume);
        if (path is null)
            return resumes ? throw new OptionException($"{_resume.Name} needs {_output.Name} FILE, the file of the evaluation that is to go on.") : null;
        if (Directory.Exists(path))
            throw new OptionException($"{_output.Name} is {path}, which is a folder; give a file such as evaluation.json.");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            throw new OptionException($"{_output.Name} is {path}; there is no folder {folder}.");
        return path;
    }

    /// <summary>Keeps other processes from writing to the file of an evaluation, until it is disposed of.</summary>
    /// <exception cref="InUseException">Another process writes to it.</exception>
    public static ExclusiveLock Lock(string path) => ExclusiveLock.Take(path + ExclusiveLock.Suffix, path, "give another --output");

    /// <summary>Sees to it that the file of an evaluation is not there, unless it is to be gone on with.</summary>
    /// <exception cref="OptionException">It is.</exception>
    public void RequireNew(ParseResult parse)
    {
        if (parse.Text(_output) is { } path && !Resumes(parse) && File.Exists(path))
            throw new OptionException($"{_output.Name} {path} is there already; {_resume.Name} goes on with it, or give another file.");
    }

    /// <summary>Whether an evaluation is to be gone on with.</summary>
    public bool Resumes(ParseResult parse) => parse.GetValue(_resume);

    /// <summary>Everything on which the result of an evaluation depends.</summary>
    public static IReadOnlyDictionary<string, string> Subject(
        string checkpoint, TrainOptions options, AutoAttackOptions attacks, DataSet data, string device, string? convolution)
    {
        var culture = CultureInfo.InvariantCulture;
        var subject = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["--checkpoint"] = "sha256 " + Hash(checkpoint),
            ["--data"] = "sha256 " + data.Hash(),
            ["--model"] = options.Model,
            ["--precision"] = OptionTexts.NameOf(options.Precision),
            ["--attack"] = string.Join(", ", attacks.Attacks.Select(kind => kind.Name())),
            ["--attack-loss"] = attacks.UsesMargin ? "margin" : "dlr",
            ["--epsilon"] = options.Epsilon.ToString("R", culture),
            ["--seed"] = attacks.Budget.Seed.ToString(culture),
            ["--limit-test"] = data.Test.Count.ToString(culture),
            ["--device"] = device,
        };
        if (convolution is not null)
            subject["--conv"] = convolution;
        return subject;
    }

    private static string Hash(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: cannot be read: {e.Message}", e);
        }
    }
}
