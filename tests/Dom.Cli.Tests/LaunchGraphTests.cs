namespace Dom.Cli.Tests;

/// <summary>DOM_CUDA_GRAPH=1: the launches of a training step handed over as one CUDA graph, on a stand-in for the driver that is as strict about graphs as about the rest.</summary>
public sealed class LaunchGraphTests
{
    private const string Step = "launch sgd_step_f32", AllGone = "context gone, left: 0 blocks, 0 pinned, 0 modules, 0 streams, 0 events, 0 graphs";

    private static readonly (string, string) s_graphs = ("DOM_CUDA_GRAPH", "1");

    private static readonly string[] s_natural = [];
    private static readonly string[] s_removing = ["--dom", "remove", "--threshold", "2.3", "--warmup", "1", "--checkpoint-every", "3"];
    private static readonly string[] s_attacked = [.. s_removing, "--attack", "pgd", "--steps", "1", "--eval-steps", "1"];
    private static readonly string[] s_augmenting = ["--dom", "augment", "--threshold", "2.3", "--warmup", "1"];

    private readonly Dictionary<string, Run> _runs = [];
    private FakeDriver? _driver;

    private static IEnumerable<TestCaseData> Trainings =>
    [
        new TestCaseData("removing", s_removing).SetArgDisplayNames("natural with DOM_RE"),
        new TestCaseData("attacked", s_attacked).SetArgDisplayNames("PGD with DOM_RE"),
        new TestCaseData("augmenting", s_augmenting).SetArgDisplayNames("DOM_DA, which looks at numbers inside a step"),
        new TestCaseData("trades", (string[])["--attack", "pgd", "--loss", "trades", "--steps", "1", "--eval-steps", "1"]).SetArgDisplayNames("TRADES"),
        new TestCaseData("bf16", (string[])["--precision", "bf16"]).SetArgDisplayNames("bf16"),
    ];

    [OneTimeSetUp]
    public void Open() => _driver = new FakeDriver();

    [OneTimeTearDown]
    public void Close() => _driver?.Dispose();

    [TestCaseSource(nameof(Trainings))]
    public void A_training_leaves_the_same_bytes_with_graphs_as_without_and_nothing_else(string name, string[] options)
    {
        var run = Finished($"{name}-graphs", options, s_graphs);
        AssertSameBytes(Plain(name, options), run.Folder);
        Assert.That(run.Trace.Count(line => line.StartsWith("graph of", StringComparison.Ordinal)), Is.GreaterThanOrEqualTo(4));
        Assert.That(run.Log[^1], Is.EqualTo(AllGone));
    }

    [Test]
    public void A_step_that_comes_again_is_one_graph_and_another_batch_size_is_another_sequence()
    {
        var run = Train("steps", s_natural, s_graphs);
        // Five steps an epoch, the last of half the size: the first makes room for partial sums in between, the second is noted, the third is a graph; so is the small
        // one when it comes again.
        Assert.That(string.Concat(Steps(run.Trace).Select(step => step.Any(line => line.StartsWith("graph of", StringComparison.Ordinal)) ? 'G' : '-')), Is.EqualTo("--GG-" + "GGGGG"));
        Assert.That(run.Trace.Count(line => line.StartsWith("graph made", StringComparison.Ordinal)), Is.EqualTo(2));
        Assert.That(run.Trace, Has.None.StartWith("graph updated"), "the allocator gives a step the same addresses again");
        foreach (var step in Steps(run.Trace).Skip(6).SkipLast(1))
        {
            string[] launches = [.. step.Where(line => line.StartsWith("graph", StringComparison.Ordinal) || line.StartsWith("launch", StringComparison.Ordinal))];
            Assert.That(launches, Is.EqualTo(new[] { "launch crop_flip_f32", "graph of 29", Step }), "the batch, the step, and behind a copy to the host the optimizer");
        }
    }

    [Test]
    public void An_argument_that_changes_from_step_to_step_updates_the_nodes_that_have_it_and_no_others()
    {
        var run = Finished("attacked-graphs", s_attacked, s_graphs);
        string[] updates = [.. run.Trace.Where(line => line.StartsWith("graph updated", StringComparison.Ordinal))];
        Assert.That(updates, Is.Not.Empty.And.All.EqualTo("graph updated: uniform_noise_f32"), "where the attack starts");
        Assert.That(updates, Has.Length.LessThan(run.Trace.Count(line => line.StartsWith("graph of", StringComparison.Ordinal))));
    }

    [Test]
    public void A_run_that_is_killed_inside_a_step_and_resumed_ends_with_the_bytes_of_one_without_graphs()
    {
        var killed = Train("killed", s_removing, s_graphs, ("FAKE_KILL", "softmax_cross_entropy_step_f32 11"));
        Assert.That(killed.Code, Is.Not.Zero);
        Assert.That(killed.Trace, Has.Some.StartsWith("graph of"), "not before there were graphs");
        var (code, output) = _driver!.Run(["train", "--resume", killed.Folder, "--device", "cuda:0", "--checkpoint-every", "3"], s_graphs);
        Assert.That(code, Is.Zero, output);
        AssertSameBytes(Plain("removing", s_removing), killed.Folder);
    }

    [Test]
    public void Without_memory_for_a_graph_the_launches_go_one_by_one()
    {
        var run = Train("no-memory", s_removing, s_graphs, ("FAKE_GRAPHS", "0"));
        Assert.That(run.Code, Is.Zero, run.Output);
        AssertSameBytes(Plain("removing", s_removing), run.Folder);
        Assert.That(run.Trace, Has.None.StartWith("graph"));
        Assert.That(run.Log[^1], Is.EqualTo(AllGone));
    }

    [Test]
    public void A_driver_without_graphs_does_without()
    {
        using var old = new FakeDriver("-DWITHOUT_GRAPHS");
        var run = Train(old, "old", s_removing, s_graphs);
        Assert.That(run.Code, Is.Zero, run.Output);
        AssertSameBytes(Plain("removing", s_removing), run.Folder);
    }

    [Test]
    public void A_kernel_that_fails_inside_a_graph_is_told_at_the_next_call_with_those_that_were_launched_last()
    {
        var run = Train("fault", s_natural, s_graphs, ("FAKE_FAULT", "relu_backward_f32 7"));
        Assert.That(run.Code, Is.EqualTo(1));
        Assert.That(run.Trace.Last(line => line.Contains("_f32", StringComparison.Ordinal)), Is.EqualTo("node relu_backward_f32"), "it was in a graph");
        Assert.That(run.Output, Does.Match(@"cuda:0: cu\w+.* failed: CUDA_ERROR_ILLEGAL_ADDRESS").And.Match("the last were .*relu_backward_f32").And.Contain("DOM_CUDA_SYNC=1"));
        Assert.That(run.Log[^1], Does.StartWith("context gone").And.EndsWith("0 graphs"));
    }

    [Test]
    public void With_a_wait_behind_each_launch_there_are_no_graphs_and_the_message_names_the_kernel_that_fails()
    {
        var run = Train("sync", s_natural, s_graphs, ("DOM_CUDA_SYNC", "1"), ("FAKE_FAULT", "relu_backward_f32 7"));
        Assert.That(run.Code, Is.EqualTo(1));
        Assert.That(run.Trace, Has.None.StartWith("graph"));
        Assert.That(run.Output, Does.Match(@"cuda:0: relu_backward_f32, \d+x1x1 blocks of 256 threads with 0 bytes of shared memory, failed: CUDA_ERROR_ILLEGAL_ADDRESS"));
    }

    [Test]
    public void A_launch_that_no_graph_takes_is_named_with_its_sizes()
    {
        var run = Train("refused", s_natural, s_graphs, ("FAKE_UNGRAPHED", "relu_forward_f32"));
        Assert.That(run.Code, Is.EqualTo(1));
        Assert.That(run.Output, Does.Match(@"cuda:0: cuGraphAddKernelNode of relu_forward_f32, \d+x1x1 blocks of 256 threads with 0 bytes of shared memory, failed: CUDA_ERROR_INVALID_VALUE"));
        Assert.That(run.Log[^1], Is.EqualTo(AllGone), "half a graph is destroyed too");
    }

    /// <summary>The folder of the same training without graphs.</summary>
    private string Plain(string name, string[] options)
    {
        var run = Finished($"{name}-plain", options);
        Assert.That(run.Trace, Has.None.StartWith("graph"));
        return run.Folder;
    }

    /// <summary>A training that comes to its end; done once for all tests.</summary>
    private Run Finished(string name, string[] options, params (string, string)[] environment)
    {
        if (_runs.TryGetValue(name, out var run))
            return run;
        run = Train(name, options, environment);
        Assert.That(run.Code, Is.Zero, run.Output);
        _runs.Add(name, run);
        return run;
    }

    private Run Train(string name, string[] options, params (string, string)[] environment) => Train(_driver!, name, options, environment);

    /// <summary>Two epochs of four steps on two images and one on one.</summary>
    private Run Train(FakeDriver driver, string name, string[] options, params (string, string)[] environment)
    {
        string folder = Path.Combine(_driver!.Folder, name);
        var (code, output) = driver.Run(
            ["train", "--limit-train", "9", "--limit-test", "4", "--epochs", "2", "--batch", "2", "--model", "mlp", "--device", "cuda:0", "--log-steps", "--out", folder, .. options],
            [("FAKE_LOG", folder + ".log"), ("FAKE_TRACE", folder + ".trace"), .. environment]);
        return new Run(folder, code, output, File.ReadAllLines(folder + ".log"), File.ReadAllLines(folder + ".trace"));
    }

    /// <summary>The trace of each step up to that of the optimizer, its nodes left out.</summary>
    private static IEnumerable<string[]> Steps(string[] trace)
    {
        var step = new List<string>();
        foreach (string line in trace.Where(line => !line.StartsWith("node", StringComparison.Ordinal)))
        {
            step.Add(line);
            if (line != Step)
                continue;
            yield return [.. step];
            step.Clear();
        }
    }

    private static void AssertSameBytes(string expected, string actual)
    {
        string[] files = [.. Directory.GetFiles(Path.Combine(expected, "ledger")), .. Directory.GetFiles(Path.Combine(expected, "checkpoints")), Path.Combine(expected, "steps.jsonl")];
        foreach (string file in files)
            Assert.That(File.ReadAllBytes(file.Replace(expected, actual, StringComparison.Ordinal)), Is.EqualTo(File.ReadAllBytes(file)), file);
    }

    private sealed record Run(string Folder, int Code, string Output, string[] Log, string[] Trace);
}
