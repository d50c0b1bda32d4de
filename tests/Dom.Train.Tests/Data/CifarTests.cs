using Dom.Train.Data;

namespace Dom.Train.Tests.Data;

public sealed class CifarTests
{
    private static readonly byte[] s_webPage = "\n<!DOCTYPE html><html><body>Sign in</body></html>"u8.ToArray();

    // Record r: its label bytes, then red = r, green = 100 + pixel mod 100, blue = 255 - r.
    private static byte[] Records(int count, params int[] labelRanges) => Enumerable.Range(0, count).SelectMany(r =>
        labelRanges.Select(range => (byte)(r % range))
            .Concat(Enumerable.Repeat((byte)r, 1024))
            .Concat(Enumerable.Range(0, 1024).Select(i => (byte)(100 + i % 100)))
            .Concat(Enumerable.Repeat((byte)(255 - r), 1024))).ToArray();

    private static ScratchFolder Cifar10Files(int records = 12)
    {
        var folder = new ScratchFolder();
        for (int i = 1; i <= 5; i++)
            folder.Write($"cifar-10-batches-bin/data_batch_{i}.bin", Records(records, 10));
        folder.Write("cifar-10-batches-bin/test_batch.bin", Records(3, 10));
        return folder;
    }

    [Test]
    public void Planes_become_interleaved_pixels_and_batches_follow_each_other()
    {
        using var folder = Cifar10Files();
        var set = Cifar10.Load(folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(set.Name, Is.EqualTo("cifar10"));
            Assert.That((set.Train.Count, set.Test.Count), Is.EqualTo((60, 3)));
            Assert.That(set.Train.Labels.Take(13), Is.EqualTo(new[] { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 0 }));
            Assert.That(set.Train.Image(11)[..3].ToArray(), Is.EqualTo(new byte[] { 11, 100, 244 }));
            Assert.That(set.Train.Image(11)[(3 * 199)..(3 * 200)].ToArray(), Is.EqualTo(new byte[] { 11, 199, 244 }));
            Assert.That(set.ClassNames[0], Is.EqualTo("airplane"));
        });
    }

    [Test]
    public void The_folder_itself_and_its_parent_are_both_accepted()
    {
        using var folder = Cifar10Files();
        Assert.That(Cifar10.Load(folder["cifar-10-batches-bin"]).Hash(), Is.EqualTo(Cifar10.Load(folder.Path).Hash()));
    }

    [Test]
    public void Of_the_two_labels_of_Cifar100_the_fine_one_counts()
    {
        using var folder = new ScratchFolder();
        folder.Write("cifar-100-binary/train.bin", Records(45, 20, 100));
        folder.Write("cifar-100-binary/test.bin", Records(2, 20, 100));
        var set = Cifar100.Load(folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(set.Train.Labels, Is.EqualTo(Enumerable.Range(0, 45)));
            Assert.That(set.ClassNames, Has.Count.EqualTo(100).And.Unique.And.Ordered);
            Assert.That(set.Train.Image(7)[..3].ToArray(), Is.EqualTo(new byte[] { 7, 100, 248 }));
        });
    }

    private static IEnumerable<TestCaseData> BadFiles()
    {
        yield return new TestCaseData(Records(12, 10)[..1000], new[] { "expected 30,730,000 bytes", "found 1,000", "truncated", "dom data download" }).SetArgDisplayNames("truncated");
        yield return new TestCaseData(new byte[30_730_001], new[] { "expected 30,730,000 bytes", "found 30,730,001", "too long" }).SetArgDisplayNames("too long");
        yield return new TestCaseData(Array.Empty<byte>(), new[] { "empty" }).SetArgDisplayNames("empty");
        yield return new TestCaseData(s_webPage, new[] { "web page", "download the file again" }).SetArgDisplayNames("a web page");
        yield return new TestCaseData(Records(12, 13), new[] { "record 10 ", "label 10;", "0..9" }).SetArgDisplayNames("a label out of range");
        yield return new TestCaseData(null, new[] { "no such file" }).SetArgDisplayNames("missing");
    }

    [TestCaseSource(nameof(BadFiles))]
    public void A_bad_file_is_named_with_what_is_wrong(byte[]? content, string[] parts)
    {
        using var folder = Cifar10Files();
        string path = folder["cifar-10-batches-bin/data_batch_3.bin"];
        File.Delete(path);
        if (content is not null)
            File.WriteAllBytes(path, content);
        var error = Assert.Throws<DataException>(() => Cifar10.Load(folder.Path))!;
        foreach (string part in parts.Append(path))
            Assert.That(error.Message, Does.Contain(part));
    }

    [Test]
    public void A_file_cut_at_a_record_is_noticed_beside_one_of_the_official_size()
    {
        using var folder = Cifar10Files();
        folder.Write("cifar-10-batches-bin/data_batch_1.bin", new byte[30_730_000]);
        Assert.That(() => Cifar10.Load(folder.Path), Throws.TypeOf<DataException>().With.Message.Contains("data_batch_2.bin: expected 30,730,000 bytes, found 36,876"));
    }

    [Test]
    public void A_folder_without_the_files_says_what_was_looked_for()
    {
        using var folder = new ScratchFolder();
        Assert.Multiple(() =>
        {
            Assert.That(() => Cifar10.Load(folder.Path), Throws.TypeOf<DataException>().With.Message.Contains("data_batch_1.bin"));
            Assert.That(() => Cifar100.Load(folder.Path), Throws.TypeOf<DataException>().With.Message.Contains("train.bin"));
        });
    }
}
