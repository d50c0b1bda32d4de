using System.Buffers.Binary;

namespace Dom.Train.Data;

/// <summary>MNIST and Fashion-MNIST in the IDX format (big-endian header, then bytes), plain or gzip.</summary>
public static class Idx
{
    private const uint ImageMagic = 0x00000803, LabelMagic = 0x00000801;

    private static readonly string[] s_digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    private static readonly string[] s_clothes =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

    /// <summary>
    /// Reads <c>train-images-idx3-ubyte</c>, <c>train-labels-idx1-ubyte</c> and the same for <c>t10k</c>; each may end
    /// in <c>.gz</c> and may have a dot in place of the second dash (<c>train-images.idx3-ubyte</c>).
    /// </summary>
    /// <param name="folder">The folder with the files.</param>
    /// <param name="name">Name of the data set; "fashion-mnist" brings the names of clothes, any other one digits.</param>
    /// <param name="testOnlySplit">Read the t10k files only and split them, 80 % to train on and 20 % to test on
    /// (8,000 and 2,000), always the same way.</param>
    /// <exception cref="DataException">A file is missing or is not what it should be.</exception>
    public static DataSet Load(string folder, string name, bool testOnlySplit = false)
    {
        var classNames = name == "fashion-mnist" ? s_clothes : s_digits;
        string[] prefixes = testOnlySplit ? ["t10k"] : ["train", "t10k"];
        var files = prefixes.SelectMany(prefix => new[] { $"{prefix}-images-idx3-ubyte", $"{prefix}-labels-idx1-ubyte" }).ToArray();
        var found = files.Select(file => Find(folder, file)).ToArray();
        if (found.Contains(null))
            throw Missing(folder, name, files.Where((_, i) => found[i] is null));

        var test = LoadSplit(found[^2]!, found[^1]!, classNames.Length);
        if (testOnlySplit)
            return SplitInTwo(name, test, classNames);
        var train = LoadSplit(found[0]!, found[1]!, classNames.Length);
        if ((train.Height, train.Width) != (test.Height, test.Width))
            throw new DataException($"{found[2]}: images are {test.Height} x {test.Width}, "
                + $"those of {found[0]} {train.Height} x {train.Width}; both must be of one size.");
        return new DataSet(name, train, test, classNames);
    }

    /// <summary>Reads one pair of IDX files.</summary>
    /// <param name="imagesFile">Magic 0x00000803, count, rows, columns, then one byte a pixel.</param>
    /// <param name="labelsFile">Magic 0x00000801, count, then one byte a label.</param>
    /// <param name="classes">Labels must be below this.</param>
    /// <exception cref="DataException">A file is missing, not IDX, of the wrong size, has no sample or a label out of
    /// range, or the counts differ.</exception>
    public static ImageSplit LoadSplit(string imagesFile, string labelsFile, int classes = 10)
    {
        var (pixels, imageSizes) = Read(imagesFile, ImageMagic, 3, "IDX images");
        var (labelBytes, labelSizes) = Read(labelsFile, LabelMagic, 1, "IDX labels");
        if (imageSizes[0] != labelSizes[0])
            throw new DataException($"{labelsFile}: {labelSizes[0]:N0} labels for the {imageSizes[0]:N0} images of "
                + $"{imagesFile}; one label an image is expected. Do both belong together?");
        int bad = Array.FindIndex(labelBytes, label => label >= classes);
        if (bad >= 0)
            throw new DataException($"{labelsFile}: record {bad:N0} has the label {labelBytes[bad]}; "
                + $"labels are 0..{classes - 1}.");
        return new ImageSplit(pixels, Array.ConvertAll(labelBytes, label => (int)label), imageSizes[1], imageSizes[2], 1);
    }

    /// <summary>Path of a file under any of its usual names, or null.</summary>
    internal static string? Find(string folder, string file)
    {
        int dash = file.LastIndexOf("-idx", StringComparison.Ordinal);
        string dotted = string.Concat(file.AsSpan(0, dash), ".", file.AsSpan(dash + 1));
        return new[] { file, file + ".gz", dotted, dotted + ".gz" }.Select(each => Path.Combine(folder, each)).FirstOrDefault(File.Exists);
    }

    /// <summary>Whether a folder holds any of the four files.</summary>
    internal static bool IsIn(string folder) =>
        Find(folder, "t10k-images-idx3-ubyte") is not null || Find(folder, "train-images-idx3-ubyte") is not null;

    private static DataException Missing(string folder, string name, IEnumerable<string> missing)
    {
        string advice = Find(folder, "t10k-images-idx3-ubyte") is not null && name == "mnist"
            ? $"Run: dom data download mnist; or take --data mnist-t10k --data-dir {folder}, which splits the 10,000 test images into 8,000 and 2,000."
            : $"Run: dom data download {name}";
        return new DataException($"{folder}: missing {string.Join(", ", missing)} (plain or .gz). {advice}");
    }

    private static DataSet SplitInTwo(string name, ImageSplit all, IReadOnlyList<string> classNames)
    {
        if (all.Count < 2)
            throw new DataException($"{name}: {all.Count} image cannot be split into a training and a test set.");
        // The first half of t10k is known to be easier than the second, so that the two parts must be drawn, not cut.
        var order = Tensors.RandomStream.For(0, Tensors.RandomPurpose.Order, sample: all.Count).Permutation(all.Count);
        int trainCount = Math.Max(1, (int)(all.Count * 0.8));
        return new DataSet(name, all.Select(order[..trainCount].Order().ToArray()), all.Select(order[trainCount..].Order().ToArray()), classNames);
    }

    private static (byte[] Data, int[] Sizes) Read(string path, uint magic, int rank, string what)
    {
        byte[] bytes = DataFile.Read(path, what);
        int headerSize = 4 + 4 * rank;
        if (bytes.Length < headerSize)
            throw new DataException($"{path}: {bytes.Length} bytes are too few for the {headerSize}-byte header of "
                + $"{what}. Download the file again.");
        uint found = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (found != magic)
            throw new DataException($"{path}: begins with 0x{found:x8}; {what} begin with 0x{magic:x8}. "
                + "It is another kind of file.");
        var sizes = new int[rank];
        long count = 1;
        for (int i = 0; i < rank; i++)
        {
            uint size = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(4 + 4 * i));
            if (size is 0 or > 1 << 24 || (count *= size) > Array.MaxLength)
                throw new DataException($"{path}: the header says {(i == 0 ? "the number of samples" : "a side")} is "
                    + $"{size:N0}; {(size == 0 ? "at least 1 is expected" : "that cannot be right")}.");
            sizes[i] = (int)size;
        }
        if (bytes.Length != headerSize + count)
            throw new DataException($"{path}: the header says {string.Join(" x ", sizes)} bytes: "
                + $"{DataFile.Compare(headerSize + count, bytes.Length)}. Download the file again.");
        return (bytes[headerSize..], sizes);
    }
}
