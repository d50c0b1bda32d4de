using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using Dom.Train.Data;
using Dom.Train.Data.Download;

namespace Dom.Train.Tests.Data.Download;

public sealed class ArchiveTests
{
    private static byte[] TarGz(params TarEntry[] entries)
    {
        using var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
        {
            foreach (var entry in entries)
                tar.WriteEntry(entry);
        }
        return ScratchFolder.Gzip(stream.ToArray());
    }

    private static PaxTarEntry TextFile(string name, byte[] bytes) => new(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) };

    [Test]
    public void Files_and_folders_are_unpacked_and_a_folder_that_was_there_is_kept_under_another_name()
    {
        using var folder = new ScratchFolder();
        folder.Write("cifar/own.txt", [9]);
        string archive = folder.Write("a.tar.gz", TarGz(new PaxTarEntry(TarEntryType.Directory, "cifar/"), TextFile("cifar/x/one.bin", [1, 2, 3]), TextFile("cifar/empty", [])));
        Archive.Unpack(archive, folder.Path);
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllBytes(folder["cifar/x/one.bin"]), Is.EqualTo(new byte[] { 1, 2, 3 }));
            Assert.That(File.ReadAllBytes(folder["cifar/empty"]), Is.Empty);
            Assert.That(File.ReadAllBytes(folder["cifar.old/own.txt"]), Is.EqualTo(new byte[] { 9 }));
            Assert.That(Directory.EnumerateFileSystemEntries(folder.Path).Count(), Is.EqualTo(3));
        });
    }

    [TestCase("../evil.txt")]
    [TestCase("cifar/../../evil.txt")]
    [TestCase("/tmp/dom-test-evil.txt")]
    [TestCase("../.unpack-a.tar.gz-beside/evil.txt")]
    public void An_entry_that_leads_outside_is_refused_and_nothing_is_unpacked(string name)
    {
        using var folder = new ScratchFolder();
        string archive = folder.Write("data/a.tar.gz", TarGz(TextFile("good.txt", [1]), TextFile(name, [2])));
        Assert.That(() => Archive.Unpack(archive, folder["data"]), Throws.TypeOf<DataException>().With.Message.Contains(name).And.Message.Contains("outside"));
        Assert.Multiple(() =>
        {
            Assert.That(Directory.GetFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories), Is.EquivalentTo(new[] { folder["data"], archive }));
            Assert.That(File.Exists("/tmp/dom-test-evil.txt"), Is.False);
        });
    }

    [Test]
    public void A_zip_is_unpacked_and_an_entry_that_leads_outside_or_is_a_link_is_refused()
    {
        using var folder = new ScratchFolder();
        Archive.Unpack(folder.Write("good.zip", Zip(("tiny/", 0), ("tiny/a/one.bin", 0))), folder.Path);
        string outside = folder.Write("data/outside.zip", Zip(("good.txt", 0), ("../evil.txt", 0)));
        string link = folder.Write("data/link.zip", Zip(("link", 0xA1FF << 16)));
        string cut = folder.Write("data/cut.zip", Zip(("a", 0))[..^10]);
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllBytes(folder["tiny/a/one.bin"]), Is.EqualTo(new byte[] { 1, 2, 3 }));
            Assert.That(() => Archive.Unpack(outside, folder["data"]), Throws.TypeOf<DataException>().With.Message.Contains("outside the data folder"));
            Assert.That(() => Archive.Unpack(link, folder["data"]), Throws.TypeOf<DataException>().With.Message.Contains("is a link"));
            Assert.That(() => Archive.Unpack(cut, folder["data"]), Throws.TypeOf<DataException>().With.Message.Contains("damaged"));
            Assert.That(Directory.GetFileSystemEntries(folder["data"]), Is.EquivalentTo(new[] { outside, link, cut }));
        });
    }

    private static byte[] Zip(params (string Name, int Attributes)[] entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, attributes) in entries)
            {
                var entry = zip.CreateEntry(name);
                entry.ExternalAttributes = attributes;
                using var content = entry.Open();
                if (!name.EndsWith('/'))
                    content.Write([1, 2, 3]);
            }
        }
        return stream.ToArray();
    }

    [Test]
    public void A_link_is_refused()
    {
        using var folder = new ScratchFolder();
        string archive = folder.Write("a.tar.gz", TarGz(new PaxTarEntry(TarEntryType.SymbolicLink, "link") { LinkName = "/etc" }));
        Assert.That(() => Archive.Unpack(archive, folder.Path), Throws.TypeOf<DataException>().With.Message.Contains("SymbolicLink"));
    }

    [Test]
    public void A_damaged_archive_is_refused()
    {
        using var folder = new ScratchFolder();
        byte[] good = TarGz(TextFile("good.bin", Enumerable.Range(0, 50_000).Select(i => (byte)(i * i >> 3)).ToArray()));
        foreach (byte[] bad in new[] { good[..(good.Length / 2)], "not gzip at all"u8.ToArray(), ScratchFolder.Gzip(new byte[700].Select((_, i) => (byte)(i + 1)).ToArray()) })
        {
            string archive = folder.Write("a.tar.gz", bad);
            Assert.That(() => Archive.Unpack(archive, folder.Path), Throws.TypeOf<DataException>().With.Message.StartsWith(archive));
            Assert.That(Directory.EnumerateFileSystemEntries(folder.Path).Count(), Is.EqualTo(1));
        }
    }

    [Test]
    public async Task A_downloaded_archive_is_unpacked_once_and_opens_as_a_data_set()
    {
        using var folder = new ScratchFolder();
        byte[] archive = TarGz([
            .. Enumerable.Range(1, 5).Select(i => TextFile($"cifar-10-batches-bin/data_batch_{i}.bin", new byte[2 * 3073])),
            TextFile("cifar-10-batches-bin/test_batch.bin", new byte[3073])]);
#pragma warning disable CA5351 // The published hashes are MD5.
        string hash = Convert.ToHexStringLower(MD5.HashData(archive));
#pragma warning restore CA5351
        using var server = new LocalServer(asked => LocalServer.Serve(archive, asked));
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var source = new DownloadSource("cifar10", "", [new DownloadFile("cifar.tar.gz", hash, null, [server.Address])], "cifar-10-batches-bin");
        for (int run = 0; run < 2; run++)
        {
            string where = await new DataSetDownloader(client).DownloadAsync(source, folder["data"]);
            Assert.That(where, Is.EqualTo(folder["data/cifar-10-batches-bin"]));
        }
        Assert.Multiple(() =>
        {
            Assert.That(server.Requests, Has.Count.EqualTo(1));
            Assert.That(DataSets.Open("cifar10", folder["data"]).Train.Count, Is.EqualTo(10));
            Assert.That(Directory.Exists(folder["data/cifar-10-batches-bin.old"]), Is.False);
        });
    }
}
