using System.Globalization;
using Dom.Train.Data;
using Dom.Train.Training;

namespace Dom.Train.Reproduction;

/// <summary>In what the runs of a reproduction differ from the paper's: shortened, or on other data. Every change is named in the title of every output.</summary>
public sealed record ReproductionChanges
{
    // Of a split that is cut, so much at least remains (or all there is).
    private const int LeastTrain = 128, LeastTest = 100, LeastEpochs = 2;

    private static readonly Dictionary<string, (int Train, int Test)> s_sizes = new()
    {
        ["cifar10"] = (50_000, 10_000),
        ["cifar100"] = (50_000, 10_000),
        ["svhn"] = (73_257, 26_032),
        ["tiny-imagenet"] = (100_000, 10_000),
        ["embedded"] = (2000, 1000),
    };

    // Every run asks anew.
    private readonly Dictionary<string, (int Train, int Test)> _opened = [];

    /// <summary>Epochs and images are multiplied by it, both, so that the work goes with its square; above 0 and at most 1.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Another data set; null for the paper's.</summary>
    public string? Data { get; init; }

    /// <summary>Where named data sets are looked for.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Another network; null for the paper's.</summary>
    public string? Model { get; init; }

    /// <summary>Another precision; null for the paper's f32.</summary>
    public Nn.Precision? Precision { get; init; }

    /// <summary>Another number of epochs; null for the paper's, scaled.</summary>
    public int? Epochs { get; init; }

    /// <summary>Another batch; null for the paper's 128.</summary>
    public int? Batch { get; init; }

    /// <summary>Training images to take; null for all, scaled.</summary>
    public int? LimitTrain { get; init; }

    /// <summary>Test images to take; null for all, scaled.</summary>
    public int? LimitTest { get; init; }

    /// <summary>What is added to a table's title: "scaled by 0.01, data embedded"; empty where nothing differs.</summary>
    public string Title => string.Join(", ", new[]
    {
        Scale < 1 ? string.Create(CultureInfo.InvariantCulture, $"scaled by {Scale}") : null,
        Data is null ? null : $"data {System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(Data))}",
        Model is null ? null : $"model {Model}",
        Precision is null or Nn.Precision.F32 ? null : $"precision {Precision.Value.ToString().ToLowerInvariant()}",
        Epochs is null ? null : $"{Epochs} epochs",
        Batch is null ? null : $"batch {Batch}",
        LimitTrain is null ? null : $"{LimitTrain} training images",
        LimitTest is null ? null : $"{LimitTest} test images",
    }.OfType<string>());

    /// <summary>Checks the scale; the rest is checked with the options of the runs.</summary>
    /// <exception cref="OptionException">It makes no sense.</exception>
    public void Validate()
    {
        if (!(Scale is > 0 and <= 1))
            throw new OptionException($"--scale is {Scale.ToString(CultureInfo.InvariantCulture)}; it must be above 0 and at most 1: 0.1 takes a tenth of the epochs and of the images.");
    }

    /// <summary>The options of a run.</summary>
    /// <remarks>
    /// Scaled: epochs are rounded to whole ones, two at least; K stays half of them, the learning rate's drops and peak and the step's ramp stay at their
    /// shares; images are rounded to whole ones, 128 for training and 100 for testing at least, where there are so many.
    /// </remarks>
    /// <param name="cell">The row of the table.</param>
    /// <param name="seed">The seed.</param>
    public TrainOptions Apply(PaperCell cell, ulong seed)
    {
        string data = Data ?? cell.Options.Data;
        int epochs = Epochs ?? Math.Max(LeastEpochs, Rounded(cell.Options.Epochs));
        var options = new Preset(cell.Preset, "", cell.Options).ForEpochs(epochs) with
        {
            Data = data,
            DataDirectory = DataDirectory,
            Model = Model ?? cell.Options.Model,
            Precision = Precision ?? cell.Options.Precision,
            Batch = Batch ?? cell.Options.Batch,
            Seed = seed,
            LimitTrain = LimitTrain,
            LimitTest = LimitTest,
        };
        if (Scale == 1 || (LimitTrain is not null && LimitTest is not null))
            return options;
        var (train, test) = SizesOf(data);
        return options with
        {
            LimitTrain = LimitTrain ?? Math.Min(train, Math.Max(LeastTrain, Rounded(train))),
            LimitTest = LimitTest ?? Math.Min(test, Math.Max(LeastTest, Rounded(test))),
        };
    }

    /// <summary>How many images a data set has; one without a known name is opened.</summary>
    /// <exception cref="DataException">It cannot be.</exception>
    public (int Train, int Test) SizesOf(string data)
    {
        if (s_sizes.TryGetValue(data, out var sizes) || _opened.TryGetValue(data, out sizes))
            return sizes;
        var set = DataSets.Open(data, DataDirectory, imageFolder: path => ImageFolder.Load(path));
        return _opened[data] = (set.Train.Count, set.Test.Count);
    }

    private int Rounded(int whole) => (int)Math.Round(whole * Scale, MidpointRounding.AwayFromZero);
}
