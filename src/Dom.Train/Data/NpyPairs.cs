namespace Dom.Train.Data;

/// <summary>A data set in four NumPy files: x_train.npy, y_train.npy, x_test.npy and y_test.npy.</summary>
public static class NpyPairs
{
    internal const string NamesFile = "class_names.txt";
    private const int MaximumClasses = 100_000;

    private static readonly string[] s_files = ["x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"];

    /// <summary>
    /// Reads pixels (uint8, [N, H, W, C] or [N, H, W]; [N, C, H, W] is turned when its second size is 1 or 3 and its
    /// last is not) and labels (uint8, int32 or int64, [N] or [N, 1]). <c>class_names.txt</c>, one name a line, is
    /// used where it is there; else there are as many classes as the highest label says. <c>y_train_true.npy</c>,
    /// where it is there, holds the labels before some were made wrong.
    /// </summary>
    /// <exception cref="DataException">A file is missing or damaged, shapes do not fit together, or a label is out of
    /// range.</exception>
    public static DataSet Load(string folder)
    {
        var missing = s_files.Where(file => !File.Exists(Path.Combine(folder, file))).ToArray();
        if (missing.Length > 0)
            throw new DataException($"{folder}: missing {string.Join(", ", missing)}; "
                + $"all of {string.Join(", ", s_files)} are expected.");
        string[]? names = DataFile.ReadNames(Path.Combine(folder, NamesFile));
        var train = LoadSplit(folder, "train", names?.Length ?? MaximumClasses);
        var test = LoadSplit(folder, "test", names?.Length ?? MaximumClasses);
        if ((train.Height, train.Width, train.Channels) != (test.Height, test.Width, test.Channels))
            throw new DataException($"{folder}: x_train.npy has images of {Size(train)}, x_test.npy of {Size(test)}; "
                + "both must be of one size.");
        names ??= Enumerable.Range(0, 1 + Math.Max(train.Labels.Max(), test.Labels.Max())).Select(label => $"class {label}").ToArray();
        return new DataSet(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))), train, test, names);
    }

    /// <summary>Whether a folder holds any of the four files.</summary>
    internal static bool IsIn(string folder) => s_files.Any(file => File.Exists(Path.Combine(folder, file)));

    private static string Size(ImageSplit split) => $"{split.Height} x {split.Width} x {split.Channels}";

    private static ImageSplit LoadSplit(string folder, string part, int classes)
    {
        string xPath = Path.Combine(folder, $"x_{part}.npy"), truePath = Path.Combine(folder, $"y_{part}_true.npy");
        var x = Npy.Read(xPath);
        if (x.Type != "u1")
            throw new DataException($"{xPath}: holds {x.Type}; pixels are uint8, 0..255. "
                + "For numbers in 0..1 save (x * 255).round().astype('uint8').");
        if (x.Shape.Length is not (3 or 4) || x.Shape.Contains(0))
            throw new DataException($"{xPath}: the shape is [{string.Join(", ", x.Shape)}]; expected [N, H, W, C] or [N, "
                + "H, W], with at least one image.");

        var (pixels, shape) = ToChannelsLast(x);
        if (shape[3] is not (1 or 3))
            throw new DataException($"{xPath}: the shape [{string.Join(", ", x.Shape)}] has no axis of 1 or 3 channels; "
                + "expected [N, H, W, C].");
        int[] labels = LoadLabels(Path.Combine(folder, $"y_{part}.npy"), shape[0], classes);
        var split = new ImageSplit(pixels, labels, shape[1], shape[2], shape[3]);
        return File.Exists(truePath) ? split with { TrueLabels = LoadLabels(truePath, shape[0], classes) } : split;
    }

    private static int[] LoadLabels(string path, int count, int classes)
    {
        var y = Npy.Read(path);
        if (y.Type == "f4")
            throw new DataException($"{path}: holds float32; labels are integers. Save y.astype('int32').");
        if (y.Shape.Length is not (1 or 2) || y.Shape[0] != count || (y.Shape.Length == 2 && y.Shape[1] != 1))
            throw new DataException($"{path}: the shape is [{string.Join(", ", y.Shape)}]; expected [{count}], "
                + "one label an image. One-hot labels: save y.argmax(1).");
        long[] labels = y.ToInt64();
        int bad = Array.FindIndex(labels, label => label < 0 || label >= classes);
        return bad < 0
            ? Array.ConvertAll(labels, label => (int)label)
            : throw new DataException($"{path}: record {bad:N0} has the label {labels[bad]}; labels are 0..{classes - 1}.");
    }

    private static (byte[] Pixels, int[] Shape) ToChannelsLast(NpyArray x)
    {
        if (x.Shape.Length == 3)
            return (x.Data, [.. x.Shape, 1]);
        if (x.Shape[1] is not (1 or 3) || x.Shape[3] is 1 or 3)
            return (x.Data, x.Shape);
        int n = x.Shape[0], channels = x.Shape[1], plane = x.Shape[2] * x.Shape[3];
        var pixels = new byte[x.Data.Length];
        for (int image = 0; image < n; image++)
        {
            int start = image * channels * plane;
            for (int c = 0; c < channels; c++)
                for (int i = 0; i < plane; i++)
                    pixels[start + i * channels + c] = x.Data[start + c * plane + i];
        }
        return (pixels, [n, x.Shape[2], x.Shape[3], channels]);
    }
}
