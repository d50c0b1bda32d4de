using Dom.Train.Data.Mat;

namespace Dom.Train.Data;

/// <summary>
/// SVHN, the street view house numbers (Netzer et al. 2011), from its MAT-files of cropped digits: 73,257 training and 26,032 test images, 32 x 32 RGB.
/// </summary>
/// <remarks>
/// A file holds <c>X</c>, [32, 32, 3, N] column-major bytes, and <c>y</c>, N labels from 1 to 10, of which 10 is the digit 0. Here the label is the digit.
/// </remarks>
public static class Svhn
{
    internal const string TrainFile = "train_32x32.mat", TestFile = "test_32x32.mat", ExtraFile = "extra_32x32.mat";

    private const int Side = 32, Channels = 3, Classes = 10;
    private const string What = "SVHN's cropped digits (X [32, 32, 3, N] and y)";

    private static readonly string[] s_digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

    /// <summary>Reads <c>train_32x32.mat</c> and <c>test_32x32.mat</c>.</summary>
    /// <param name="folder">The folder with the files.</param>
    /// <param name="withExtra">
    /// Whether the 531,131 easier images of <c>extra_32x32.mat</c> are trained on too, behind the others; the DOM paper does not use them. Takes some 5 GB
    /// of memory while it loads.
    /// </param>
    /// <exception cref="DataException">A file is missing or is not what it should be.</exception>
    public static DataSet Load(string folder, bool withExtra = false)
    {
        string[] needed = withExtra ? [TrainFile, TestFile, ExtraFile] : [TrainFile, TestFile];
        string[] missing = [.. needed.Where(file => !File.Exists(Path.Combine(folder, file)))];
        if (missing.Length > 0)
            throw new DataException($"{folder}: missing {string.Join(", ", missing)}. Run: dom data download {(withExtra ? "svhn-extra" : "svhn")}");
        var train = LoadSplit(Path.Combine(folder, TrainFile));
        if (withExtra)
            train = Join(train, LoadSplit(Path.Combine(folder, ExtraFile)));
        return new DataSet(withExtra ? "svhn-extra" : "svhn", train, LoadSplit(Path.Combine(folder, TestFile)), s_digits);
    }

    /// <summary>Reads one file.</summary>
    /// <exception cref="DataException">It is missing, not such a file, damaged, or has a label out of range.</exception>
    public static ImageSplit LoadSplit(string path)
    {
        var arrays = MatFile.Read(path, What, "X", "y");
        var (images, labels) = (arrays[0], arrays[1]);
        // MATLAB drops a last dimension of size one.
        int count = images.Dimensions.Count == 3 ? 1 : images.Dimensions[^1];
        if (images.Dimensions.Count is not (3 or 4) || !images.Dimensions.Take(3).SequenceEqual([Side, Side, Channels]) || count == 0)
            throw new DataException($"{path}: X is {images.Shape}; [32, 32, 3, N] with at least one image is expected.");
        if (labels.Count != count)
            throw new DataException($"{path}: there are {labels.Count:N0} labels (y is {labels.Shape}) for the {count:N0} images of X; one an image is expected.");
        try
        {
            return new ImageSplit(ToRows(images.ToBytes(), count), ToDigits(labels.ToInts()), Side, Side, Channels);
        }
        catch (InvalidDataException error)
        {
            throw new DataException($"{path}: {error.Message}.", error);
        }
    }

    /// <summary>Whether a folder holds any of the files.</summary>
    internal static bool IsIn(string folder) => new[] { TrainFile, TestFile }.Any(file => File.Exists(Path.Combine(folder, file)));

    private static int[] ToDigits(int[] labels)
    {
        int bad = Array.FindIndex(labels, label => label is < 1 or > Classes);
        return bad < 0 ? Array.ConvertAll(labels, label => label % Classes) : throw new InvalidDataException(
            $"element {bad:N0} of 'y' is {labels[bad]}; labels are 1 to 10, of which 10 is the digit 0");
    }

    /// <summary>Column-major [row, column, channel, image] to [image, row, column, channel].</summary>
    private static byte[] ToRows(byte[] columns, int count)
    {
        const int Plane = Side * Side, Size = Plane * Channels;
        var rows = new byte[columns.Length];
        Parallel.For(0, count, image =>
        {
            var from = columns.AsSpan(image * Size, Size);
            var to = rows.AsSpan(image * Size, Size);
            for (int row = 0; row < Side; row++)
                for (int column = 0; column < Side; column++)
                    for (int channel = 0; channel < Channels; channel++)
                        to[(row * Side + column) * Channels + channel] = from[row + Side * column + Plane * channel];
        });
        return rows;
    }

    private static ImageSplit Join(ImageSplit first, ImageSplit second) =>
        new([.. first.Pixels, .. second.Pixels], [.. first.Labels, .. second.Labels], first.Height, first.Width, first.Channels);
}
