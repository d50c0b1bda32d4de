using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

public sealed class RunFolderTests
{
    private string _folder = "";

    [SetUp]
    public void Open() => _folder = Directory.CreateTempSubdirectory("dom-folder-").FullName;

    [TearDown]
    public void Close() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void What_a_run_leaves_that_was_killed_before_it_had_a_description_does_not_block_a_new_one()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "checkpoints"));
        File.WriteAllText(Path.Combine(_folder, "run.json.tmp"), "{ \"opti");
        File.WriteAllText(Path.Combine(_folder, "run.lock"), "");
        File.WriteAllText(Path.Combine(_folder, "run.lock.owner"), "process 1 on this-machine since");
        Assert.That(() => new RunFolder(_folder).Create().Dispose(), Throws.Nothing);
    }

    [TestCase("notes.txt")]
    [TestCase("checkpoints/last.safetensors")]
    public void A_folder_that_holds_anything_else_is_refused_and_left_alone(string name)
    {
        string file = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "mine");
        Assert.That(() => new RunFolder(_folder).Create(), Throws.InstanceOf<OptionException>().With.Message.Contains("not empty"));
        Assert.That(File.ReadAllText(file), Is.EqualTo("mine"));
    }

    [Test]
    public void Of_two_that_make_a_folder_for_a_new_run_the_second_is_refused_and_leaves_it_to_the_first()
    {
        using var first = new RunFolder(_folder).Create();
        Assert.That(() => new RunFolder(_folder).Create(), Throws.TypeOf<InUseException>().With.Message.Contains($"{_folder}: in use by process {Environment.ProcessId}"));
        Assert.That(() => new RunFolder(_folder).RequireUnused(), Throws.TypeOf<InUseException>());
        Assert.That(File.Exists(new RunFolder(_folder).LockFile));
    }
}
