using Dom.Kernels.Cpu;
using Dom.Nn.StateDictionaries;
using Dom.Train.Memorization;
using Dom.Train.Training;

namespace Dom.Train.Tests.Training;

/// <summary>Two runs in one process stand for two processes: a lock belongs to an open file.</summary>
public sealed class RunLockTests
{
    private Runs _runs = null!;
    private CpuBackend _backend = null!;

    [SetUp]
    public void Open() => (_runs, _backend) = (new Runs(), new CpuBackend(2));

    [TearDown]
    public void Close()
    {
        _backend.Dispose();
        _runs.Dispose();
    }

    private static string[] LockFiles(string folder) => Directory.GetFiles(folder, "*.lock*");

    private static void ShouldBeRefused(Action run, string folder) =>
        Assert.That(run, Throws.TypeOf<InUseException>().With.Message.StartsWith($"{folder}: in use by process {Environment.ProcessId} "));

    private TrainingRun Start(string folder) => TrainingRun.Start(Runs.Small, folder, _backend, 2, "test");

    private TrainingRun Resume(string folder) => TrainingRun.Resume(folder, _backend, 2);

    [Test]
    public void A_run_under_way_can_neither_be_resumed_nor_begun_a_second_time_and_comes_to_the_end_it_would_have_had()
    {
        string undisturbed = _runs.Finish("undisturbed", Runs.Small), folder = _runs.Folder("run");
        using (var run = Start(folder))
        {
            ShouldBeRefused(() => Resume(folder), folder);
            ShouldBeRefused(() => Start(folder), folder);
            using var cancel = new CancellationTokenSource();
            run.Execute(new CancelAfterStep(cancel), cancel.Token);
            ShouldBeRefused(() => Resume(folder), folder); // interrupted, but the report is still to be written
        }
        using (var run = Resume(folder))
        {
            ShouldBeRefused(() => Resume(folder), folder);
            Assert.That(run.Execute().IsFinished, Is.True);
        }
        Runs.AssertSameResults(undisturbed, folder);
        Assert.That(LockFiles(folder), Is.Empty);
    }

    [Test]
    public void Readers_of_a_run_under_way_are_not_kept_out()
    {
        using var run = Start(_runs.Folder("run"));
        run.Execute();
        var folder = new RunFolder(_runs.Folder("run"));
        Assert.Multiple(() =>
        {
            Assert.That(LockFiles(folder.Path), Is.Not.Empty, "the run is not let go of");
            Assert.That(folder.ReadDescription().Status, Is.EqualTo("finished"));
            Assert.That(folder.ReadMetrics(), Has.Count.EqualTo(Runs.Small.Epochs));
            Assert.That(LedgerStore.Open(folder.Ledger).ReadColumn(LedgerColumns.NaturalLoss), Has.Length.EqualTo(Runs.Small.Epochs));
            Assert.That(() => SafetensorsFile.Read(folder.Last), Throws.Nothing);
        });
    }

    [Test]
    public void A_run_that_cannot_be_resumed_leaves_its_folder_free()
    {
        string folder = _runs.Finish("run", Runs.Small);
        byte[] whole = File.ReadAllBytes(new RunFolder(folder).Last);
        File.WriteAllBytes(new RunFolder(folder).Last, whole[..100]);
        Assert.That(() => Resume(folder), Throws.InstanceOf<CheckpointException>());
        Assert.That(LockFiles(folder), Is.Empty);
        File.WriteAllBytes(new RunFolder(folder).Last, whole);
        using var run = Resume(folder);
        Assert.That(run.LockWarning, Is.Null);
    }

    [Test]
    public void A_folder_without_a_run_gets_no_lock_file()
    {
        string folder = Directory.CreateDirectory(_runs.Folder("photographs")).FullName;
        Assert.That(() => Resume(folder), Throws.TypeOf<CheckpointException>().With.Message.Contains("no run here"));
        File.WriteAllText(Path.Combine(folder, "cat.jpg"), "");
        Assert.That(() => Start(folder), Throws.TypeOf<OptionException>().With.Message.Contains("not empty"));
        Assert.That(LockFiles(folder), Is.Empty);
    }

    [Test]
    public void Where_the_lock_file_cannot_be_made_the_run_trains_nevertheless_and_says_so()
    {
        string folder = _runs.Finish("run", Runs.Small);
        Directory.CreateDirectory(new RunFolder(folder).LockFile); // a folder of that name stands for a file system that refuses
        using var run = Resume(folder);
        Assert.That(run.LockWarning, Does.Contain("no lock can be taken"));
        Assert.That(run.Execute().IsFinished, Is.True);
    }
}
