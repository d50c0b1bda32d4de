namespace Dom.Train.Tests;

public class AtomicFileTests
{
    private string _folder = "";
    private string _path = "";

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("dom-atomic-").FullName;
        _path = Path.Combine(_folder, "last.json");
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    private string[] Files() => [.. Directory.GetFiles(_folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Test]
    public void A_file_is_made_and_replaced_and_nothing_else_is_left()
    {
        AtomicFile.WriteText(_path, "first, and long");
        AtomicFile.WriteText(_path, "zweite äöü");
        Assert.That(File.ReadAllBytes(_path), Is.EqualTo("zweite äöü"u8.ToArray()));
        Assert.That(Files(), Is.EqualTo(new[] { "last.json" }));
    }

    [Test]
    public void The_old_content_stays_visible_until_the_new_one_is_whole()
    {
        File.WriteAllText(_path, "old");
        AtomicFile.Write(_path, stream =>
        {
            stream.Write("new"u8);
            stream.Flush();
            Assert.That(File.ReadAllText(_path), Is.EqualTo("old"));
            Assert.That(Files(), Is.EqualTo(new[] { "last.json", "last.json.tmp" }));
        });
        Assert.That(File.ReadAllText(_path), Is.EqualTo("new"));
    }

    [Test]
    public void A_stale_temporary_file_of_a_killed_process_is_overwritten()
    {
        File.WriteAllText(_path + ".tmp", "a much longer torn leftover");
        AtomicFile.WriteText(_path, "new");
        Assert.That(File.ReadAllText(_path), Is.EqualTo("new"));
        Assert.That(Files(), Is.EqualTo(new[] { "last.json" }));
    }

    [Test]
    public void An_error_halfway_keeps_the_old_file_and_removes_the_temporary_one()
    {
        File.WriteAllText(_path, "old");
        Assert.That(() => AtomicFile.Write(_path, stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("The cable was pulled.");
        }), Throws.TypeOf<IOException>().With.Message.EqualTo($"{_path}: cannot be written: The cable was pulled. The old file was kept."));
        Assert.That(() => AtomicFile.Write(_path, _ => throw new OperationCanceledException()), Throws.TypeOf<OperationCanceledException>());
        Assert.That(File.ReadAllText(_path), Is.EqualTo("old"));
        Assert.That(Files(), Is.EqualTo(new[] { "last.json" }));
    }

    [Test]
    public void A_full_disk_is_called_no_space_left()
    {
        if (!File.Exists("/dev/full"))
            Assert.Ignore("/dev/full, which refuses every byte for lack of space, is not there.");
        File.WriteAllText(_path, "old");
        Assert.That(() => AtomicFile.Write(_path, _ =>
        {
            using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write);
            full.Write(new byte[10_000]);
            full.Flush();
        }), Throws.TypeOf<IOException>().With.Message.StartsWith(_path).And.Message.Contains("no space left").And.Message.EndsWith("The old file was kept."));
        Assert.That(File.ReadAllText(_path), Is.EqualTo("old"));
    }

    [Test]
    public void A_folder_that_is_not_there_is_named()
    {
        string path = Path.Combine(_folder, "absent", "x.json");
        Assert.That(() => AtomicFile.WriteText(path, "x"), Throws.TypeOf<IOException>().With.Message.StartsWith($"{path}: cannot be written"));
        Directory.CreateDirectory(_path);
        Assert.That(() => AtomicFile.WriteText(_path, "x"), Throws.TypeOf<IOException>().With.Message.StartsWith($"{_path}: cannot be written"));
        Assert.That(Files(), Is.Empty);
    }
}
