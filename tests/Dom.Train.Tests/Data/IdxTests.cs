using System.Security.Cryptography;
using Dom.Train.Data;

namespace Dom.Train.Tests.Data;

public sealed class IdxTests
{
    private const int Rows = 3, Columns = 4;

    private static byte[] Images(int count) =>
        [0, 0, 8, 3, 0, 0, (byte)(count >> 8), (byte)count, 0, 0, 0, Rows, 0, 0, 0, Columns, .. Enumerable.Range(0, count * Rows * Columns).Select(i => (byte)i)];

    private static byte[] Labels(int count, int range = 10) =>
        [0, 0, 8, 1, 0, 0, (byte)(count >> 8), (byte)count, .. Enumerable.Range(0, count).Select(i => (byte)(i % range))];

    private static ScratchFolder Files(Func<string, string>? rename = null, bool gzip = false)
    {
        var folder = new ScratchFolder();
        foreach (var (name, bytes) in new[]
        {
            ("train-images-idx3-ubyte", Images(50)), ("train-labels-idx1-ubyte", Labels(50)),
            ("t10k-images-idx3-ubyte", Images(20)), ("t10k-labels-idx1-ubyte", Labels(20)),
        })
            folder.Write(rename?.Invoke(name) ?? name, gzip ? ScratchFolder.Gzip(bytes) : bytes);
        return folder;
    }

    [Test]
    public void Plain_gzip_and_dotted_names_give_the_same_set()
    {
        using var plain = Files();
        using var packed = Files(name => name + ".gz", gzip: true);
        using var dotted = Files(name => name.Replace("-idx", ".idx"));
        using var unmarked = Files(gzip: true);
        var set = Idx.Load(plain.Path, "mnist");
        Assert.Multiple(() =>
        {
            Assert.That((set.Train.Count, set.Test.Count, set.Train.Height, set.Train.Width, set.Train.Channels), Is.EqualTo((50, 20, 3, 4, 1)));
            Assert.That(set.Train.Image(2).ToArray(), Is.EqualTo(Enumerable.Range(24, 12)));
            Assert.That(set.Train.Labels[13], Is.EqualTo(3));
            foreach (var other in new[] { packed, dotted, unmarked })
                Assert.That(Idx.Load(other.Path, "mnist").Hash(), Is.EqualTo(set.Hash()));
            Assert.That(Idx.Load(plain.Path, "fashion-mnist").ClassNames[9], Is.EqualTo("Ankle boot"));
        });
    }

    [Test]
    public void Missing_training_files_are_named_and_the_split_of_t10k_is_offered()
    {
        using var folder = Files();
        File.Delete(folder["train-images-idx3-ubyte"]);
        File.Delete(folder["train-labels-idx1-ubyte"]);
        var error = Assert.Throws<DataException>(() => Idx.Load(folder.Path, "mnist"))!;
        Assert.That(error.Message, Does.Contain("missing train-images-idx3-ubyte, train-labels-idx1-ubyte").And.Contain("mnist-t10k"));
    }

    [Test]
    public void The_test_file_alone_splits_into_two_parts_that_share_no_sample()
    {
        using var folder = Files();
        var set = Idx.Load(folder.Path, "mnist-t10k", testOnlySplit: true);
        var firstPixels = new[] { set.Train, set.Test }.SelectMany(split => Enumerable.Range(0, split.Count).Select(i => split.Image(i)[0]));
        Assert.Multiple(() =>
        {
            Assert.That((set.Train.Count, set.Test.Count), Is.EqualTo((16, 4)));
            Assert.That(firstPixels.Order(), Is.EqualTo(Enumerable.Range(0, 20).Select(i => (byte)(12 * i)).Order()));
            Assert.That(Idx.Load(folder.Path, "mnist-t10k", testOnlySplit: true).Hash(), Is.EqualTo(set.Hash()));
        });
    }

    private static IEnumerable<TestCaseData> BadImageFiles()
    {
        var good = Images(20);
        yield return new TestCaseData(good[..^1], new[] { "expected 256 bytes, found 255", "truncated" }).SetArgDisplayNames("truncated");
        yield return new TestCaseData((byte[])[.. good, 0], new[] { "expected 256 bytes, found 257", "too long" }).SetArgDisplayNames("too long");
        yield return new TestCaseData(good[..9], new[] { "9 bytes", "16-byte header" }).SetArgDisplayNames("shorter than the header");
        yield return new TestCaseData(Labels(20, 3), new[] { "0x00000801", "0x00000803" }).SetArgDisplayNames("labels in place of images");
        yield return new TestCaseData(Images(0), new[] { "number of samples is 0" }).SetArgDisplayNames("no sample");
        yield return new TestCaseData((byte[])[0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 28, 0, 0, 0, 28], new[] { "cannot be right" }).SetArgDisplayNames("an absurd count");
        yield return new TestCaseData("<html>404</html>"u8.ToArray(), new[] { "web page" }).SetArgDisplayNames("a web page");
        yield return new TestCaseData(Array.Empty<byte>(), new[] { "empty" }).SetArgDisplayNames("empty");
        yield return new TestCaseData(Corrupt(ScratchFolder.Gzip(good)), new[] { "gzip data is damaged" }).SetArgDisplayNames("damaged gzip");
        yield return new TestCaseData(ScratchFolder.Gzip(good)[..40], new[] { "t10k-images-idx3-ubyte" }).SetArgDisplayNames("truncated gzip");
    }

    private static byte[] Corrupt(byte[] zip)
    {
        // The four bytes before the last four are the checksum of the contents.
        zip[^8] ^= 0xff;
        return zip;
    }

    [TestCaseSource(nameof(BadImageFiles))]
    public void A_bad_file_is_named_with_what_is_wrong(byte[] content, string[] parts)
    {
        using var folder = Files();
        string path = folder.Write("t10k-images-idx3-ubyte", content);
        var error = Assert.Throws<DataException>(() => Idx.Load(folder.Path, "mnist"))!;
        foreach (string part in parts.Append(path))
            Assert.That(error.Message, Does.Contain(part));
    }

    [Test]
    public void A_label_out_of_range_is_reported_with_its_record()
    {
        using var folder = Files();
        string path = folder.Write("t10k-labels-idx1-ubyte", Labels(20, 11));
        Assert.That(() => Idx.Load(folder.Path, "mnist"), Throws.TypeOf<DataException>().With.Message.Contains($"{path}: record 10 has the label 10"));
    }

    [Test]
    public void Different_counts_of_images_and_labels_are_refused()
    {
        using var folder = Files();
        folder.Write("t10k-labels-idx1-ubyte", Labels(19));
        Assert.That(() => Idx.Load(folder.Path, "mnist"), Throws.TypeOf<DataException>().With.Message.Contains("19 labels for the 20 images"));
    }

    [Test]
    public void The_real_test_digits_are_read_as_published()
    {
        string folder = Path.Combine(SharedData.FolderOrSkip(), "mnist");
        var digits = Idx.LoadSplit(Idx.Find(folder, "t10k-images-idx3-ubyte")!, Idx.Find(folder, "t10k-labels-idx1-ubyte")!);
        byte[] header = [0, 0, 8, 3, 0, 0, 0x27, 0x10, 0, 0, 0, 28, 0, 0, 0, 28];
        Assert.Multiple(() =>
        {
            Assert.That(digits.Labels.Take(5), Is.EqualTo(new[] { 7, 2, 1, 0, 4 }));
            Assert.That((digits.Count, digits.Height, digits.Width), Is.EqualTo((10_000, 28, 28)));
            // MD5 of the raw published file: header and pixels.
#pragma warning disable CA5351 // It compares with a published value; it protects nothing.
            Assert.That(Convert.ToHexStringLower(MD5.HashData([.. header, .. digits.Pixels])), Is.EqualTo("2646ac647ad5339dbf082846283269ea"));
#pragma warning restore CA5351
            var split = DataSets.Open("mnist-t10k", SharedData.FolderOrSkip());
            Assert.That((split.Train.Count, split.Test.Count), Is.EqualTo((8000, 2000)));
        });
    }
}
