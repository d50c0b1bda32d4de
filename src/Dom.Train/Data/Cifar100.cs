namespace Dom.Train.Data;

/// <summary>CIFAR-100 (Krizhevsky 2009) with its 100 fine labels, from the official binary files.</summary>
public static class Cifar100
{
    /// <summary>Name of the folder inside the official archive.</summary>
    public const string FolderName = "cifar-100-binary";

    private const string Redo = "Delete it and run: dom data download cifar100";
    private const int CoarseClasses = 20;

    private static readonly string[] s_classNames =
        ("apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly "
        + "camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup "
        + "dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower "
        + "leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid "
        + "otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray "
        + "road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar "
        + "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle "
        + "wardrobe whale willow_tree wolf woman worm").Split(' ');

    /// <summary>Reads <c>train.bin</c> (50,000 records) and <c>test.bin</c> (10,000): a coarse label, a fine label,
    /// the pixels.</summary>
    /// <param name="folder">The folder with the files, or the one that contains <see cref="FolderName"/>.</param>
    /// <exception cref="DataException">A file is missing, of the wrong size, not what it should be, or has a label out
    /// of range.</exception>
    public static DataSet Load(string folder)
    {
        string found = Find(folder) ?? throw new DataException(
            $"{folder}: no train.bin there nor in {FolderName} inside it; expected the CIFAR-100 binary files. Run: "
                + "dom data download cifar100");
        int[] labelRanges = [CoarseClasses, s_classNames.Length];
        return new DataSet("cifar100",
            CifarRecords.Read([(Path.Combine(found, "train.bin"), 50_000)], labelRanges, Redo),
            CifarRecords.Read([(Path.Combine(found, "test.bin"), 10_000)], labelRanges, Redo), s_classNames);
    }

    internal static string? Find(string folder) =>
        CifarRecords.Find(folder, FolderName, "train.bin") ?? CifarRecords.Find(folder, FolderName, "test.bin");
}
