using Dom.Train.Data;

namespace Dom.Train.Training;

/// <summary>Opens the data of a run and prepares them as its options say.</summary>
public static class TrainingData
{
    /// <summary>The data set with limits and wrong labels applied; sample ids are rows of the result.</summary>
    /// <param name="options">The options of the run.</param>
    /// <param name="progress">Called now and then with the number of pictures read and of those there are, where the data have a file for each.</param>
    /// <exception cref="DataException">The data cannot be used.</exception>
    /// <exception cref="OptionException">A limit is larger than what there is.</exception>
    public static DataSet Open(TrainOptions options, Action<int, int>? progress = null)
    {
        var data = DataSets.Open(
            options.Data, options.DataDirectory, imageFolder: path => ImageFolder.Load(path, progress: progress), progress: progress);
        int classes = data.ClassNames.Count;
        RequireSamples("--limit-train", options.LimitTrain, "training", data.Train.Count);
        RequireSamples("--limit-test", options.LimitTest, "test", data.Test.Count);
        var train = options.LimitTrain is { } trainLimit ? Subset.TakeEvenly(data.Train, classes, trainLimit, options.Seed) : data.Train;
        var test = options.LimitTest is { } testLimit ? Subset.TakeEvenly(data.Test, classes, testLimit, options.Seed) : data.Test;
        if (options.LabelNoise > 0)
            train = LabelNoise.Apply(train, classes, options.LabelNoise, options.Seed);
        return data with { Train = train, Test = test };
    }

    private static void RequireSamples(string option, int? limit, string split, int count)
    {
        if (limit > count)
            throw new OptionException($"{option} is {limit}; there are {count} {split} samples. Leave it out to take them all.");
    }
}
