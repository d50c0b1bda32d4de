using Dom.Train.Data.Images;

namespace Dom.Train.Data;

/// <summary>
/// Loads a folder of pictures, one folder a class: the layout of torchvision's <c>ImageFolder</c>, with its order of
/// classes.
/// </summary>
public static class ImageFolder
{
    private const string Layout =
        "Expected are train/<class>/*.png or .jpg and test/<class>/*.png or .jpg (val in place of test will do)";

    private static readonly string[] s_extensions = [".png", ".jpg", ".jpeg"];

    /// <summary>
    /// Loads <c>folder/train/&lt;class&gt;/*.{png,jpg,jpeg}</c> and <c>folder/test/&lt;class&gt;/*</c> (or
    /// <c>val</c>).
    /// </summary>
    /// <remarks>
    /// Classes are the folders of <c>train</c> in ordinal order of their names; samples go class by class, files in
    /// ordinal order of their names. Folders and files whose name starts with a dot are passed over, and so are files
    /// of other extensions. All pictures have one size. If any is RGB, gray ones become RGB; if all are gray, the set
    /// has one channel. Files are decoded in parallel; the result, or the error, does not depend on the number of
    /// threads.
    /// </remarks>
    /// <param name="folder">The folder that holds <c>train</c> and <c>test</c>; its name becomes the data
    /// set's.</param>
    /// <param name="decoder">Reads the files; the built-in one if null.</param>
    /// <param name="progress">Called now and then with the number of pictures read and of those there are, one thread at a time.</param>
    /// <exception cref="DataException">The folder has another layout, no pictures, a picture that cannot be read or
    /// is of another size.</exception>
    public static DataSet Load(string folder, IImageDecoder? decoder = null, Action<int, int>? progress = null)
    {
        if (!Directory.Exists(folder))
            throw new DataException($"The image folder '{folder}' does not exist. {Layout}.");
        try
        {
            string train = Path.Combine(folder, "train");
            string[] candidates = [Path.Combine(folder, "test"), Path.Combine(folder, "val")];
            string? test = Array.Find(candidates, Directory.Exists);
            if (!Directory.Exists(train) || test is null)
                throw new DataException(DescribeLayout(folder, train));
            string[] classes = Classes(train);
            CheckClasses(Classes(test), classes, test);
            var (trainFiles, trainLabels) = Files(train, classes);
            var (testFiles, testLabels) = Files(test, classes);
            var pictures = ImageFiles.Decode(
                [.. trainFiles, .. testFiles], trainFiles.Count, decoder ?? new ImageDecoder(), progress: progress);
            return new DataSet(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))),
                new ImageSplit(pictures.First, [.. trainLabels], pictures.Height, pictures.Width, pictures.Channels),
                new ImageSplit(pictures.Second, [.. testLabels], pictures.Height, pictures.Width, pictures.Channels),
                classes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"The image folder '{folder}' cannot be listed: {e.Message}", e);
        }
    }

    private static string DescribeLayout(string folder, string train)
    {
        var names = Directory.EnumerateDirectories(folder).Select(d => Path.GetFileName(d)!)
            .Where(IsVisible).Order(StringComparer.Ordinal).ToArray();
        string found = names.Length == 0 ? "no folders" : Some(names, 5);
        if (Directory.Exists(train))
            return $"The image folder '{folder}' has train but neither test nor val (found: {found}). {Layout}; " +
                "move some of the images there.";
        bool hasClasses = names.Any(n => Pictures(Path.Combine(folder, n)).Length > 0);
        return hasClasses
            ? $"The image folder '{folder}' holds class folders directly (found: {found}), without a split. " +
                $"{Layout}; move the class folders into train and some of their images into test."
            : $"The image folder '{folder}' has no train folder (found: {found}). {Layout}.";
    }

    private static string[] Classes(string split)
    {
        string[] classes = [.. Directory.EnumerateDirectories(split).Select(d => Path.GetFileName(d)!)
            .Where(IsVisible).Order(StringComparer.Ordinal)];
        if (classes.Length > 0)
            return classes;
        throw new DataException(Pictures(split) is { Length: > 0 } loose
            ? $"'{split}' holds {loose.Length} images but no class folders. {Layout}."
            : $"'{split}' is empty. {Layout}.");
    }

    private static void CheckClasses(string[] testClasses, string[] classes, string test)
    {
        foreach (string name in testClasses)
            if (Array.BinarySearch(classes, name, StringComparer.Ordinal) < 0)
                throw new DataException(
                    $"Class '{name}' in '{test}' is not among the {classes.Length} classes of train " +
                    $"({Some(classes, 12)}). Rename the folder, or add the class to train.");
    }

    private static (List<string> Files, List<int> Labels) Files(string split, string[] classes)
    {
        var files = new List<string>();
        var labels = new List<int>();
        for (int label = 0; label < classes.Length; label++)
        {
            string folder = Path.Combine(split, classes[label]);
            if (!Directory.Exists(folder))
                continue;       // a class of train may be absent from test
            string[] pictures = Pictures(folder);
            if (pictures.Length == 0)
                throw new DataException(
                    $"The class folder '{folder}' holds no .png, .jpg or .jpeg file. " +
                    "Add images, or remove the folder.");
            files.AddRange(pictures);
            labels.AddRange(Enumerable.Repeat(label, pictures.Length));
        }
        return (files, labels);
    }

    /// <summary>The pictures of a folder in ordinal order of their names.</summary>
    internal static string[] Pictures(string folder) =>
        [.. Directory.EnumerateFiles(folder)
            .Where(f => IsVisible(Path.GetFileName(f)))
            .Where(f => s_extensions.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase))
            .Order(StringComparer.Ordinal)];

    private static string Some(string[] names, int count) =>
        string.Join(", ", names.Take(count)) + (names.Length > count ? ", .." : "");

    // ".ipynb_checkpoints", and the "._name.jpg" that macOS puts beside each file of an archive.
    private static bool IsVisible(string name) => !name.StartsWith('.');
}
