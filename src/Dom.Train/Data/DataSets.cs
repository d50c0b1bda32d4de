namespace Dom.Train.Data;

/// <summary>Opens a data set by its name or by the folder that holds it.</summary>
public static class DataSets
{
    /// <summary>Folder in which named sets are looked for when none is given.</summary>
    public const string DefaultFolder = "data";

    /// <summary>The names that <see cref="Open"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = 
        ["embedded", "cifar10", "cifar100", "svhn", "svhn-extra", "tiny-imagenet", "mnist", "mnist-t10k", "fashion-mnist"];

    /// <summary>Opens a set.</summary>
    /// <param name="nameOrPath">
    /// One of <see cref="Names"/>; or a folder, whose kind is told by what is in it: CIFAR binary files, IDX files,
    /// SVHN's MAT-files, Tiny ImageNet, .npy pairs, or an image folder.
    /// </param>
    /// <param name="dataDirectory">Where named sets lie: NAME inside it, or directly in it; null is
    /// <see cref="DefaultFolder"/>.</param>
    /// <param name="embedded">Sizes and seed of the embedded set; null is the default.</param>
    /// <param name="imageFolder">Reads an image folder; null where none can be read.</param>
    /// <param name="progress">Called now and then with the number of pictures read and of those there are, where a set has a file for each.</param>
    /// <exception cref="DataException">The name is unknown, nothing usable is there, or a file is not what it should
    /// be.</exception>
    public static DataSet Open(
        string nameOrPath, string? dataDirectory = null, EmbeddedOptions? embedded = null, Func<string, DataSet>? imageFolder = null,
        Action<int, int>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        string directory = dataDirectory ?? DefaultFolder;
        switch (nameOrPath.ToLowerInvariant())
        {
            case "embedded":
                var options = embedded ?? new EmbeddedOptions();
                return EmbeddedImages.Create(options.TrainCount, options.TestCount, options.Seed);
            case "cifar10":
                return Cifar10.Load(Choose("cifar10", directory, ["cifar10", ""], folder => Cifar10.Find(folder) is not null));
            case "cifar100":
                return Cifar100.Load(Choose("cifar100", directory, ["cifar100", ""], folder => Cifar100.Find(folder) is not null));
            case "svhn":
                return Svhn.Load(Choose("svhn", directory, ["svhn", "", "SVHN"], Svhn.IsIn));
            case "svhn-extra":
                return Svhn.Load(Choose("svhn-extra", directory, ["svhn", "", "SVHN"], Svhn.IsIn), withExtra: true);
            case "tiny-imagenet":
                return TinyImageNet.Load(
                    Choose("tiny-imagenet", directory, ["tiny-imagenet", ""], folder => TinyImageNet.Find(folder) is not null), progress: progress);
            case "mnist":
                return Idx.Load(Choose("mnist", directory, ["mnist", "", "MNIST/raw"], Idx.IsIn), "mnist");
            case "mnist-t10k":
                return Idx.Load(Choose("mnist", directory, ["mnist-t10k", "mnist", "", "MNIST/raw"], Idx.IsIn), "mnist-t10k", testOnlySplit: true);
            case "fashion-mnist":
                return Idx.Load(Choose("fashion-mnist", directory, ["fashion-mnist", "", "FashionMNIST/raw"], Idx.IsIn), "fashion-mnist");
        }
        if (Directory.Exists(nameOrPath))
            return OpenFolder(nameOrPath, imageFolder, progress);
        if (File.Exists(nameOrPath))
            throw new DataException($"{nameOrPath}: this is a file; a data set is a folder. Unpack an archive first, "
                + "then give the folder.");
        bool isPath = nameOrPath.Contains('/') || nameOrPath.Contains('\\') || nameOrPath.StartsWith('.');
        throw new DataException(isPath
            ? $"{nameOrPath}: no such folder."
            : $"'{nameOrPath}' is neither a folder nor the name of a data set ({string.Join(", ", Names)}){NearestName.Hint(nameOrPath, Names)}");
    }

    /// <summary>
    /// Mean and standard deviation a channel, for pixels scaled to 0..1: the values that the literature uses for
    /// CIFAR-10, CIFAR-100, SVHN, MNIST and Fashion-MNIST; for any other set those of its training images. Those of SVHN and of Tiny ImageNet, for which the
    /// DOM paper states none, are those of its authors' sibling repository (AAER); it normalizes Tiny ImageNet as CIFAR-100.
    /// </summary>
    public static (float[] Mean, float[] Std) Normalization(DataSet set)
    {
        ArgumentNullException.ThrowIfNull(set);
        return (set.Name, set.Train.Channels) switch
        {
            ("cifar10", 3) => ([0.4914f, 0.4822f, 0.4465f], [0.2471f, 0.2435f, 0.2616f]),
            ("svhn" or "svhn-extra", 3) => ([0.4380f, 0.4440f, 0.4730f], [0.1751f, 0.1771f, 0.1744f]),
            ("cifar100" or "tiny-imagenet", 3) => ([0.5071f, 0.4865f, 0.4409f], [0.2673f, 0.2564f, 0.2762f]),
            ("mnist" or "mnist-t10k", 1) => ([0.1307f], [0.3081f]),
            ("fashion-mnist", 1) => ([0.2860f], [0.3530f]),
            _ => ChannelStatistics.Of(set.Train),
        };
    }

    private static string Choose(string name, string directory, string[] places, Func<string, bool> isThere)
    {
        var folders = Array.ConvertAll(places, place => place.Length == 0 ? directory : Path.Combine(directory, place));
        return folders.FirstOrDefault(isThere) ?? throw new DataException(
            $"{name}: not found in {string.Join(", ", folders)}. Give the folder with --data-dir, or run: "
                + $"dom data download {name} --data-dir {directory}");
    }

    private static DataSet OpenFolder(string folder, Func<string, DataSet>? imageFolder, Action<int, int>? progress)
    {
        if (NpyPairs.IsIn(folder))
            return NpyPairs.Load(folder);
        if (Cifar10.Find(folder) is not null)
            return Cifar10.Load(folder);
        if (Cifar100.Find(folder) is not null)
            return Cifar100.Load(folder);
        if (Idx.IsIn(folder))
            return Idx.Load(folder, folder.Contains("fashion", StringComparison.OrdinalIgnoreCase) ? "fashion-mnist" : "mnist");
        if (Svhn.IsIn(folder))
            return Svhn.Load(folder);
        if (TinyImageNet.Find(folder) is not null)
            return TinyImageNet.Load(folder, progress: progress);
        if (imageFolder is not null && Directory.EnumerateDirectories(folder).Any())
            return imageFolder(folder);
        throw new DataException($"{folder}: no data set there. Expected one of: "
            + "CIFAR binary files (data_batch_1.bin or train.bin), IDX files (train-images-idx3-ubyte), "
            + "SVHN's MAT-files (train_32x32.mat), Tiny ImageNet (wnids.txt), "
            + "x_train.npy with y_train.npy, x_test.npy and y_test.npy, or folders of images, one a class.");
    }
}
