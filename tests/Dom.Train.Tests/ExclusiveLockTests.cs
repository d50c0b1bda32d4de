namespace Dom.Train.Tests;

public sealed class ExclusiveLockTests
{
    private string _folder = "";
    private string _path = "";

    [SetUp]
    public void MakeFolder()
    {
        _folder = Directory.CreateTempSubdirectory("dom-lock-").FullName;
        _path = Path.Combine(_folder, "run.lock");
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    private ExclusiveLock Take() => ExclusiveLock.Take(_path, "runs/a", "choose another folder");

    private string[] Files() => [.. Directory.GetFiles(_folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    [Test]
    public void Who_comes_second_is_told_who_came_first_and_since_when_and_what_to_do()
    {
        using var first = Take();
        Assert.That(first.Warning, Is.Null);
        Assert.That(Take, Throws.TypeOf<InUseException>().With.Message.Matches(
            $"^runs/a: in use by process {Environment.ProcessId} on {Environment.MachineName} since \\d{{4}}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d [+-]\\d\\d:\\d\\d\\. "
            + "Wait until it is done, end that process, or choose another folder\\.$"));
    }

    [Test]
    public void What_was_given_back_can_be_taken_at_once_and_no_file_is_left()
    {
        Take().Dispose();
        Take().Dispose();
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public void Giving_back_twice_takes_nothing_from_the_next_holder()
    {
        var first = Take();
        first.Dispose();
        using var second = Take();
        first.Dispose();
        Assert.That(Take, Throws.TypeOf<InUseException>().With.Message.Contains($"process {Environment.ProcessId}"));
    }

    [Test]
    public void The_files_that_a_killed_process_left_behind_lock_nothing_and_go_with_the_next_holder()
    {
        File.WriteAllText(_path, "");
        File.WriteAllText(_path + ".owner", "process 1 on elsewhere since 2020-01-01 00:00:00 +00:00\n");
        Assert.That(() => ExclusiveLock.RequireFree(_path, "runs/a", "choose another folder"), Throws.Nothing);
        using (Take())
            Assert.That(Take, Throws.TypeOf<InUseException>().With.Message.Contains($"process {Environment.ProcessId}").And.Message.Not.Contains("elsewhere"));
        Assert.That(Files(), Is.Empty);
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("process 12")]
    [TestCase("somebody's own notes\n")]
    [TestCase("process 12 on a\nand another line\n")]
    public void Where_nothing_sensible_tells_who_holds_it_another_process_does(string? note)
    {
        using var first = Take();
        File.Delete(_path + ".owner");
        if (note is not null)
            File.WriteAllText(_path + ".owner", note);
        Assert.That(Take, Throws.TypeOf<InUseException>().With.Message.StartsWith("runs/a: in use by another process. Wait"));
    }

    [Test]
    public void Looking_whether_it_is_free_makes_no_file()
    {
        ExclusiveLock.RequireFree(_path, "runs/a", "choose another folder");
        Assert.That(Files(), Is.Empty);
        using var first = Take();
        Assert.That(() => ExclusiveLock.RequireFree(_path, "runs/a", "choose another folder"), Throws.TypeOf<InUseException>());
    }

    [Test]
    public void Where_no_lock_can_be_taken_for_another_reason_the_work_goes_on_with_a_warning()
    {
        string path = Path.Combine(_folder, "absent", "run.lock");
        using var none = ExclusiveLock.Take(path, "runs/a", "choose another folder");
        Assert.That(none.Warning, Does.StartWith($"{path}: no lock can be taken (").And.EndWith("at the same time."));
        Directory.CreateDirectory(_path);
        Assert.That(Take().Warning, Is.Not.Null, "a folder lies where the file should be");
    }

    /// <summary>A process that opened the file just before its holder deleted it must not hold a file that nobody finds any more.</summary>
    [Test]
    public void Of_many_that_take_it_again_and_again_never_two_hold_it()
    {
        int inside = 0, taken = 0, together = 0;
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (int i = 0; i < 500; i++)
            {
                try
                {
                    using var held = Take();
                    if (Interlocked.Increment(ref inside) > 1)
                        Interlocked.Increment(ref together);
                    Interlocked.Increment(ref taken);
                    Thread.Yield();
                    Interlocked.Decrement(ref inside);
                }
                catch (InUseException)
                {
                }
            }
        })).ToArray();
        foreach (var thread in threads)
            thread.Start();
        foreach (var thread in threads)
            thread.Join();
        Assert.That((together, taken), Is.EqualTo((0, taken)));
        Assert.That(taken, Is.Positive);
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public void Who_waits_gets_it_when_it_is_given_back_or_is_refused_in_the_end()
    {
        var first = Take();
        Assert.That(() => ExclusiveLock.Wait(_path, "table2.txt", "choose another folder", TimeSpan.Zero), Throws.TypeOf<InUseException>());
        using var waiting = new ManualResetEventSlim();
        var second = Task.Run(() =>
        {
            waiting.Set();
            using var held = ExclusiveLock.Wait(_path, "table2.txt", "choose another folder", TimeSpan.FromMinutes(1));
            return held.Warning;
        });
        waiting.Wait();
        Assert.That(second.IsCompleted, Is.False);
        first.Dispose();
        Assert.That(second.Result, Is.Null);
    }
}
