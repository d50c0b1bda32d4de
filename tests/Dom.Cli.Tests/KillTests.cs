using System.Diagnostics;
using Dom.Tensors;

namespace Dom.Cli.Tests;

public sealed class KillTests
{
    private const int Kills = 20;

    // Long enough that the twenty kills fall everywhere: before the run has a folder, in steps, in evaluations, while files are written.
    private static readonly string[] s_options =
    [
        "--data", "embedded", "--model", "preact-resnet8", "--epochs", "24", "--batch", "64", "--limit-train", "512", "--limit-test", "128",
        "--label-noise", "0.2", "--dom", "remove", "--threshold", "1.5", "--warmup", "3", "--seed", "11", "--threads", "2", "--checkpoint-every", "3", "--log-steps",
    ];

    private string _root = "";

    [SetUp]
    public void Open() => _root = Directory.CreateTempSubdirectory("dom-kill-").FullName;

    [TearDown]
    public void Close() => Directory.Delete(_root, recursive: true);

    [Test]
    public void A_run_killed_at_twenty_random_moments_and_resumed_ends_with_the_bytes_of_an_undisturbed_run()
    {
        string undisturbed = Path.Combine(_root, "undisturbed");
        var watch = Stopwatch.StartNew();
        using (var process = DomProcess.Start(["train", "--out", undisturbed, .. s_options]))
            Finish(process);
        double whole = watch.Elapsed.TotalMilliseconds;

        var stream = RandomStream.For(2026, RandomPurpose.Test);
        int kills = 0, beforeTheRun = 0, runs = 1;
        string Killed() => Path.Combine(_root, $"killed{runs}");
        while (kills < Kills)
        {
            using var process = DomProcess.Start(Continue(Killed()));
            // Short lives, so that one run is killed many times; starting up takes a part of each.
            if (process.WaitForExit((int)(stream.Uniform(kills) * whole / 6)))
            {
                Finish(process);
                AssertSame(undisturbed, Killed()); // it came to its end between two kills: the rest are for another run
                runs++;
                continue;
            }
            process.Kill();
            process.WaitForExit();
            kills++;
            beforeTheRun += File.Exists(Path.Combine(Killed(), "run.json")) ? 0 : 1;
        }
        using (var process = DomProcess.Start(Continue(Killed())))
            Finish(process);
        AssertSame(undisturbed, Killed());
        TestContext.Out.WriteLine($"{kills} kills over {runs} runs, {beforeTheRun} before the run had a description.");
    }

    private static void AssertSame(string undisturbed, string killed)
    {
        Assert.That(File.ReadAllText(Path.Combine(killed, "steps.jsonl")), Is.EqualTo(File.ReadAllText(Path.Combine(undisturbed, "steps.jsonl"))), "steps.jsonl");
        // What the killed processes left of their locks is gone with the last one.
        Assert.That(Names(killed), Is.EqualTo(Names(undisturbed)).AsCollection);
        foreach (string folder in new[] { "ledger", "checkpoints" })
        {
            var expected = Directory.GetFiles(Path.Combine(undisturbed, folder)).Select(Path.GetFileName).Order().ToArray();
            var found = Directory.GetFiles(Path.Combine(killed, folder)).Select(Path.GetFileName).Order();
            Assert.That(found, Is.EqualTo(expected).AsCollection);
            foreach (string? name in expected)
                Assert.That(
                    File.ReadAllBytes(Path.Combine(killed, folder, name!)).AsSpan()
                        .SequenceEqual(File.ReadAllBytes(Path.Combine(undisturbed, folder, name!))),
                    Is.True, $"{folder}/{name} differs");
        }
    }

    private static string[] Names(string folder) => [.. Directory.GetFileSystemEntries(folder).Select(entry => Path.GetFileName(entry)).Order(StringComparer.Ordinal)];

    private static string[] Continue(string folder) => File.Exists(Path.Combine(folder, "run.json"))
        ? ["train", "--resume", folder, "--threads", "2", "--checkpoint-every", "3"]
        : ["train", "--out", folder, .. s_options];

    private static void Finish(Process process)
    {
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, error);
    }
}
