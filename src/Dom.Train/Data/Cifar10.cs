namespace Dom.Train.Data;

/// <summary>CIFAR-10 (Krizhevsky 2009) from the official binary files: 50,000 training and 10,000 test images, 32 x 32
/// RGB.</summary>
public static class Cifar10
{
    /// <summary>Name of the folder inside the official archive.</summary>
    public const string FolderName = "cifar-10-batches-bin";

    internal const int BatchCount = 5;
    internal const int RecordsPerBatch = 10_000;
    internal const string NamesFile = "batches.meta.txt";
    internal const string TestFile = "test_batch.bin";

    private const string Redo = "Delete it and run: dom data download cifar10";

    private static readonly string[] s_classNames =
        ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    /// <summary>
    /// Reads <c>data_batch_1.bin .. data_batch_5.bin</c> and <c>test_batch.bin</c>. Sample ids count through the five
    /// files in order. Class names come from <c>batches.meta.txt</c> where it is there. A set converted to this layout
    /// may hold fewer images; with other class names it is called by its folder.
    /// </summary>
    /// <param name="folder">The folder with the files, or the one that contains <see cref="FolderName"/>.</param>
    /// <exception cref="DataException">A file is missing, of the wrong size, not what it should be, or has a label out
    /// of range.</exception>
    public static DataSet Load(string folder)
    {
        string found = Find(folder) ?? throw new DataException(
            $"{folder}: no {BatchFile(1)} there nor in {FolderName} inside it; expected the CIFAR-10 binary files. Run: "
                + "dom data download cifar10");
        string[] names = DataFile.ReadNames(Path.Combine(found, NamesFile)) ?? s_classNames;
        var batches = Enumerable.Range(1, BatchCount).Select(i => (Path.Combine(found, BatchFile(i)), RecordsPerBatch)).ToArray();
        string name = names.SequenceEqual(s_classNames) ? "cifar10" : Path.GetFileName(Path.GetFullPath(found));
        return new DataSet(name,
            CifarRecords.Read(batches, [names.Length], Redo),
            CifarRecords.Read([(Path.Combine(found, TestFile), RecordsPerBatch)], [names.Length], Redo), names);
    }

    internal static string BatchFile(int number) => $"data_batch_{number}.bin";

    internal static string? Find(string folder) =>
        CifarRecords.Find(folder, FolderName, BatchFile(1)) ?? CifarRecords.Find(folder, FolderName, TestFile);
}
