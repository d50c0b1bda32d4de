namespace Dom.Train.Data.Download;

/// <summary>One file of a data set on the network.</summary>
/// <param name="Name">File name, here and at every mirror.</param>
/// <param name="Md5">The published MD5 of the file, 32 hexadecimal digits in lower case.</param>
/// <param name="Size">Its published size in bytes, for the progress only; null where none is published.</param>
/// <param name="Mirrors">Addresses of the folders that hold it, in the order in which they are tried.</param>
public sealed record DownloadFile(string Name, string Md5, long? Size, IReadOnlyList<string> Mirrors);

/// <summary>The files of a data set and where they go.</summary>
/// <param name="DataSet">Name of the data set.</param>
/// <param name="Folder">Folder below the data directory that receives the files; "" is the data directory itself.</param>
/// <param name="Files">The files.</param>
/// <param name="UnpackedFolder">For .tar.gz and .zip archives: the folder that unpacking makes beside them; null where nothing
/// is to be unpacked.</param>
public sealed record DownloadSource(string DataSet, string Folder, IReadOnlyList<DownloadFile> Files, string? UnpackedFolder = null)
{
    private static readonly string[] s_toronto = ["https://www.cs.toronto.edu/~kriz/"];
    private static readonly string[] s_stanford = ["http://ufldl.stanford.edu/housenumbers/"];
    private static readonly string[] s_mnist = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"];

    private static readonly string[] s_fashion =
    [
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ];

    private static readonly DownloadFile[] s_svhn =
    [
        new(Svhn.TrainFile, "e26dedcc434d2e4c54c9b2d4a06d8373", 182_040_794, s_stanford),
        new(Svhn.TestFile, "eb5a983be6a315427106f1b164d9cef3", 64_275_384, s_stanford),
    ];

    /// <summary>The data sets that can be downloaded, with the hashes that their authors or torchvision publish.</summary>
    public static IReadOnlyList<DownloadSource> All { get; } =
    [
        new("cifar10", "", [new("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", 170_052_171, s_toronto)], Cifar10.FolderName),
        new("cifar100", "", [new("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", 168_513_733, s_toronto)], Cifar100.FolderName),
        new("svhn", "svhn", s_svhn),
        new("svhn-extra", "svhn", [.. s_svhn, new(Svhn.ExtraFile, "a93ce644f1a588dc4d68dda5feec44a7", 1_329_278_602, s_stanford)]),
        new("tiny-imagenet", "",
            [new("tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de", 248_100_043, ["http://cs231n.stanford.edu/"])], TinyImageNet.FolderName),
        new("mnist", "mnist",
        [
            new("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", null, s_mnist),
            new("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", null, s_mnist),
            new("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", null, s_mnist),
            new("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", null, s_mnist),
        ]),
        new("fashion-mnist", "fashion-mnist",
        [
            new("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d", null, s_fashion),
            new("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe", null, s_fashion),
            new("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79", null, s_fashion),
            new("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310", null, s_fashion),
        ]),
    ];

    /// <summary>The source of a data set.</summary>
    /// <exception cref="DataException">There is none of that name; the message lists those there are.</exception>
    public static DownloadSource Of(string dataSet)
    {
        ArgumentNullException.ThrowIfNull(dataSet);
        var names = All.Select(source => source.DataSet).ToArray();
        return All.FirstOrDefault(source => source.DataSet == dataSet) ?? throw new DataException(
            $"'{dataSet}' cannot be downloaded; {string.Join(", ", names)} can{NearestName.Hint(dataSet, names)}");
    }
}
