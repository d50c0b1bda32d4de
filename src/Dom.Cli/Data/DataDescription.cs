using System.Globalization;
using Dom.Train;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Cli.Data;

/// <summary>What <c>dom data info</c> says of a data set.</summary>
internal sealed class DataDescription
{
    private readonly DataSet _set;
    private readonly string _format;

    private DataDescription(DataSet set, string format) => (_set, _format) = (set, format);

    /// <summary>The data set.</summary>
    public DataSet Set => _set;

    /// <summary>Opens a data set by its name or folder and tells what its files are.</summary>
    /// <exception cref="OptionException">It is neither a known name nor a path.</exception>
    /// <exception cref="DataException">There is none, or a file is not what it should be.</exception>
    public static DataDescription Open(string nameOrPath, string? dataDirectory, Action<int, int>? reading = null)
    {
        RequireKnown(nameOrPath);
        bool isImageFolder = false;
        var set = DataSets.Open(nameOrPath, dataDirectory, imageFolder: path =>
        {
            isImageFolder = true;
            return ImageFolder.Load(path, progress: reading);
        }, progress: reading);
        string format = DataSets.Names.Contains(nameOrPath, StringComparer.OrdinalIgnoreCase) ? FormatOf(nameOrPath.ToLowerInvariant())
            : isImageFolder ? "image folder (PNG, JPEG)"
            : FormatIn(nameOrPath);
        return new DataDescription(set, format);
    }

    /// <summary>The text for a person.</summary>
    public string ToText()
    {
        var train = _set.Train;
        var (mean, std) = MeasuredStatistics();
        var (usedMean, usedStd) = DataSets.Normalization(_set);
        var lines = new List<string>
        {
            $"name         {_set.Name}",
            $"format       {_format}",
            $"samples      {train.Count:N0} training, {_set.Test.Count:N0} test",
            $"image        {train.Height} x {train.Width} x {train.Channels} ({(train.Channels == 1 ? "gray" : "RGB")}), bytes 0..255",
            $"classes      {_set.ClassNames.Count}",
            $"pixels       mean {Numbers(mean)}, deviation {Numbers(std)} (training images, scaled to 0..1)",
            $"normalized   by mean {Numbers(usedMean)}, deviation {Numbers(usedStd)}",
            $"labels       {Wrong(train, "training")}, {Wrong(_set.Test, "test")}",
            $"SHA-256      {_set.Hash()}",
            "",
        };
        var table = new TextTable("class", "<name", "training", "test");
        var (trainCounts, testCounts) = (CountsOf(train), CountsOf(_set.Test));
        for (int c = 0; c < _set.ClassNames.Count; c++)
            table.Add($"{c}", _set.ClassNames[c], $"{trainCounts[c]:N0}", $"{testCounts[c]:N0}");
        return string.Join('\n', lines) + "\n" + table;
    }

    /// <summary>The same as one line of JSON.</summary>
    public string ToJson()
    {
        var train = _set.Train;
        var (mean, std) = MeasuredStatistics();
        var (usedMean, usedStd) = DataSets.Normalization(_set);
        var (trainCounts, testCounts) = (CountsOf(train), CountsOf(_set.Test));
        return JsonLine.Of(new Dictionary<string, object>
        {
            ["name"] = _set.Name,
            ["format"] = _format,
            ["train"] = train.Count,
            ["test"] = _set.Test.Count,
            ["height"] = train.Height,
            ["width"] = train.Width,
            ["channels"] = train.Channels,
            ["classes"] = _set.ClassNames.Select((name, c) => new Dictionary<string, object>
            {
                ["label"] = c, ["name"] = name, ["train"] = trainCounts[c], ["test"] = testCounts[c],
            }).ToArray(),
            ["mean"] = mean,
            ["std"] = std,
            ["normalizationMean"] = usedMean,
            ["normalizationStd"] = usedStd,
            ["wrongTrainLabels"] = WrongCount(train),
            ["wrongTestLabels"] = WrongCount(_set.Test),
            ["sha256"] = _set.Hash(),
        });
    }

    /// <summary>Number of labels that were made wrong on purpose.</summary>
    public static int WrongCount(ImageSplit split) => Enumerable.Range(0, split.Count).Count(split.HasWrongLabel);

    private static string FormatOf(string name) => name switch
    {
        "embedded" => "embedded: shapes drawn by the program",
        "cifar10" => "CIFAR-10 binary files",
        "cifar100" => "CIFAR-100 binary files",
        "svhn" => "SVHN's MAT-files of cropped digits",
        "svhn-extra" => "SVHN's MAT-files of cropped digits, the extra ones too",
        "tiny-imagenet" => "Tiny ImageNet's folders (JPEG)",
        "mnist-t10k" => "IDX files, the 10,000 test images split in two",
        _ => "IDX files",
    };

    // By the same files, in the same order, as the data sets tell folders apart.
    private static string FormatIn(string folder)
    {
        bool Has(string file, string inner = "") => File.Exists(Path.Combine(folder, file)) || File.Exists(Path.Combine(folder, inner, file));
        return Has("x_train.npy") ? ".npy pairs"
            : Has("data_batch_1.bin", Cifar10.FolderName) ? FormatOf("cifar10")
            : Has("train.bin", Cifar100.FolderName) ? FormatOf("cifar100")
            : Directory.EnumerateFiles(folder, "*-idx?-ubyte*").Any() || Directory.EnumerateFiles(folder, "*.idx?-ubyte*").Any() ? FormatOf("mnist")
            : Has("train_32x32.mat") || Has("test_32x32.mat") ? FormatOf("svhn")
            : FormatOf("tiny-imagenet");
    }

    // A misspelled name is wrong usage; what looks like a path is left to the data sets, which know what should be there.
    private static void RequireKnown(string text)
    {
        bool isPath = text.Contains('/') || text.Contains('\\') || text.StartsWith('.') || Path.Exists(text);
        if (!isPath && !DataSets.Names.Contains(text, StringComparer.OrdinalIgnoreCase))
            throw new OptionException(
                $"'{text}' is neither a folder nor the name of a data set ({string.Join(", ", DataSets.Names)}){NearestName.Hint(text, DataSets.Names)}");
    }

    // A set without a known name is measured; the known ones have the literature's values.
    private (float[] Mean, float[] Std) MeasuredStatistics() => DataSets.Normalization(_set with { Name = "" });

    private int[] CountsOf(ImageSplit split)
    {
        var counts = new int[_set.ClassNames.Count];
        foreach (int label in split.Labels)
            counts[label]++;
        return counts;
    }

    private static string Wrong(ImageSplit split, string name) => WrongCount(split) is > 0 and var wrong
        ? string.Create(CultureInfo.InvariantCulture, $"{wrong:N0} of {split.Count:N0} {name} labels wrong on purpose ({100.0 * wrong / split.Count:0.0} %)")
        : $"no wrong {name} labels known";

    private static string Numbers(float[] values) => string.Join(' ', values.Select(v => v.ToString("0.0000", CultureInfo.InvariantCulture)));
}
