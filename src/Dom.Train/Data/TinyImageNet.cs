using Dom.Train.Data.Images;

namespace Dom.Train.Data;

/// <summary>
/// Tiny ImageNet (Stanford CS231n): 200 classes of ImageNet, 100,000 training images and 10,000 validation images, which serve as test images, 64 x 64 RGB.
/// </summary>
/// <remarks>
/// Labels follow the ordinal order of the WordNet ids, as torchvision's <c>ImageFolder</c> would number them; the classes are called by the first word of
/// <c>words.txt</c>. Gray pictures, of which there are some, become RGB. The images of the folder <c>test</c> have no labels and are not read.
/// </remarks>
public static class TinyImageNet
{
    /// <summary>Name of the folder inside the official archive.</summary>
    public const string FolderName = "tiny-imagenet-200";

    private const string IdFile = "wnids.txt", WordFile = "words.txt", AnnotationFile = "val_annotations.txt";

    /// <summary>
    /// Reads <c>train/ID/images/*.JPEG</c> and <c>val/images/*.JPEG</c> with <c>val/val_annotations.txt</c>. Files are decoded on all cores, straight into
    /// the bytes of the set (1.35 GB for the whole of it).
    /// </summary>
    /// <param name="folder">The folder with <c>train</c> and <c>val</c>, or the one that contains <see cref="FolderName"/>.</param>
    /// <param name="decoder">Reads the pictures; the built-in one if null.</param>
    /// <param name="progress">Called now and then with the number of pictures read and of those there are, from several threads but one at a time.</param>
    /// <exception cref="DataException">A file is missing or is not what it should be.</exception>
    public static DataSet Load(string folder, IImageDecoder? decoder = null, Action<int, int>? progress = null)
    {
        string found = Find(folder) ?? throw new DataException(
            $"{folder}: no {IdFile} there nor in {FolderName} inside it; expected Tiny ImageNet. Run: dom data download tiny-imagenet");
        try
        {
            string[] ids = Ids(found);
            var (trainFiles, trainLabels) = TrainFiles(found, ids);
            var (testFiles, testLabels) = TestFiles(found, ids);
            var pictures = ImageFiles.Decode([.. trainFiles, .. testFiles], trainFiles.Count, decoder ?? new ImageDecoder(), channels: 3, progress);
            return new DataSet("tiny-imagenet",
                new ImageSplit(pictures.First, [.. trainLabels], pictures.Height, pictures.Width, pictures.Channels),
                new ImageSplit(pictures.Second, [.. testLabels], pictures.Height, pictures.Width, pictures.Channels),
                Names(found, ids));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{found}: the folder cannot be listed ({error.Message}).", error);
        }
    }

    internal static string? Find(string folder) => new[] { folder, Path.Combine(folder, FolderName) }
        .FirstOrDefault(each => File.Exists(Path.Combine(each, IdFile)) || File.Exists(Path.Combine(each, "val", AnnotationFile)));

    private static string[] Ids(string folder)
    {
        string file = Path.Combine(folder, IdFile);
        string[] ids = DataFile.ReadNames(file) ?? throw new DataException($"{file}: no such file; expected the WordNet ids of the classes, one a line.");
        Array.Sort(ids, StringComparer.Ordinal);
        int twice = Enumerable.Range(1, ids.Length - 1).FirstOrDefault(i => ids[i] == ids[i - 1]);
        return twice == 0 ? ids : throw new DataException($"{file}: the id {ids[twice]} is there twice; one line a class is expected.");
    }

    private static string[] Names(string folder, string[] ids)
    {
        string file = Path.Combine(folder, WordFile);
        var words = (DataFile.ReadNames(file) ?? []).Select(line => line.Split('\t', 2))
            .Where(parts => parts.Length == 2).GroupBy(parts => parts[0]).ToDictionary(group => group.Key, group => group.First()[1].Split(',')[0].Trim());
        return [.. ids.Select(id => words.GetValueOrDefault(id) is { Length: > 0 } name ? name : id)];
    }

    private static (List<string> Files, List<int> Labels) TrainFiles(string folder, string[] ids)
    {
        var files = new List<string>();
        var labels = new List<int>();
        for (int label = 0; label < ids.Length; label++)
        {
            string images = Path.Combine(folder, "train", ids[label], "images");
            string[] pictures = Directory.Exists(images) ? ImageFolder.Pictures(images) : [];
            if (pictures.Length == 0)
                throw new DataException($"{images}: no pictures there; {IdFile} names the class {ids[label]}, so some are expected. Unpack the archive again.");
            files.AddRange(pictures);
            labels.AddRange(Enumerable.Repeat(label, pictures.Length));
        }
        return (files, labels);
    }

    private static (List<string> Files, List<int> Labels) TestFiles(string folder, string[] ids)
    {
        string file = Path.Combine(folder, "val", AnnotationFile);
        string[] lines = DataFile.ReadNames(file) ?? throw new DataException(
            $"{file}: no such file; it says which class each picture of val/images shows. Unpack the archive again.");
        var files = new List<string>();
        var labels = new List<int>();
        for (int i = 0; i < lines.Length; i++)
        {
            string[] parts = lines[i].Split('\t');
            int label = parts.Length < 2 ? -1 : Array.BinarySearch(ids, parts[1], StringComparer.Ordinal);
            if (parts.Length < 2 || label < 0)
                throw new DataException($"{file}: line {i + 1} is '{lines[i]}'; expected are the name of a picture and one of the {ids.Length} ids of {IdFile}, with a tab between them.");
            files.Add(Path.Combine(folder, "val", "images", parts[0]));
            labels.Add(label);
        }
        return (files, labels);
    }
}
