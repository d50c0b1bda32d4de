using System.Text.Json;
using Dom.Kernels.Conformance;
using Dom.Kernels.Tests;

namespace Dom.Cli.Tests;

/// <summary>
/// The whole way to a GPU but for the GPU: the program in a process of its own whose libcuda.so.1 is tests/Dom.Kernels.Tests/Emulation/libcuda.cpp, a driver that
/// computes with the emulated kernels and is as strict as a real one about contexts, memory and launches.
/// </summary>
public sealed class FakeDriverTests
{
    private FakeDriver? _driver;
    private string _log = "";

    private string Folder => _driver!.Folder;

    [OneTimeSetUp]
    public void Open() => _driver = new FakeDriver();

    [OneTimeTearDown]
    public void Close() => _driver?.Dispose();

    [SetUp]
    public void Begin() => _log = Path.Combine(Folder, $"log-{TestContext.CurrentContext.Test.ID}");

    [Test]
    public void The_GPU_is_listed_and_no_context_is_made_on_it()
    {
        var (code, output) = Dom(["devices"]);
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("cuda:0     Fake GPU\n           compute capability 8.0, 4 multiprocessors, 3.0 GiB of memory, 2 MiB of L2; driver for CUDA 12.4\n"));
        Assert.That(output, Does.Contain("auto       takes cuda:0\n"));
        Assert.That(Log, Is.Empty);
    }

    [Test]
    public void The_conformance_suite_passes_on_the_driver_and_everything_is_given_back([Values(80, 90)] int capability)
    {
        // What another capability changes is the convolutions.
        string[] filter = capability == 80 ? [] : ["--filter", "conv2d"];
        var (code, output) = Dom(["check", "--json", .. filter], ("FAKE_CAPABILITY", $"{capability}"), ("FAKE_MEMORY", "300000000"));
        Assert.That(code, Is.Zero, output);
        string[] lines = output.Trim().Split('\n');
        var json = JsonDocument.Parse(lines.Single(line => line.StartsWith('{'))).RootElement;
        Assert.That(json.GetProperty("device").GetString(), Is.EqualTo("cuda:0"));
        Assert.That(lines, Does.Contain("device: cuda:0 (Fake GPU, 3 GiB)"), "auto says what it took");
        Assert.That(json.GetProperty("passed").GetInt32(), Is.GreaterThan(100));
        Assert.That(json.GetProperty("failed").GetInt32(), Is.Zero);
        Assert.That(Log[0], Is.EqualTo("context made"));
        Assert.That(Log[^1], Is.EqualTo("context gone, left: 0 blocks, 0 pinned, 0 modules, 0 streams, 0 events, 0 graphs"));
        Assert.That(Log.Contains("module for sm_90a"), Is.EqualTo(capability == 90));
    }

    [TestCase("DOM_CUDA_ARCH", "80")]
    [TestCase("FAKE_DRIVER", "11080")]
    public void A_Hopper_gets_the_kernels_of_all_devices_where_it_is_asked_for_or_its_driver_knows_no_others(string name, string value)
    {
        var (code, output) = Dom(["check", "--device", "cuda:0", "--filter", "conv2dforward"], ("FAKE_CAPABILITY", "90"), (name, value));
        Assert.That(code, Is.Zero, output);
        Assert.That(Log.Where(line => line.StartsWith("module", StringComparison.Ordinal)), Is.Not.Empty.And.All.EqualTo("module for sm_80"));
    }

    [Test]
    public void A_kernel_that_fails_is_told_at_the_next_wait_with_those_that_were_launched_last()
    {
        var (code, output) = Dom(["check", "--device", "cuda:0", "--filter", "relubackward"], ("FAKE_FAULT", "relu_backward_f32"));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("cuda:0: cuStreamSynchronize failed: CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered."));
        Assert.That(output, Does.Contain("the last were relu_backward_f32").And.Contain("DOM_CUDA_SYNC=1"));
    }

    [Test]
    public void With_a_wait_behind_each_launch_the_message_names_the_kernel_that_fails()
    {
        var (code, output) = Dom(["check", "--device", "cuda:0", "--filter", "relubackward"], ("FAKE_FAULT", "relu_backward_f32"), ("DOM_CUDA_SYNC", "1"));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Match(@"cuda:0: relu_backward_f32, \d+x1x1 blocks of 256 threads with 0 bytes of shared memory, failed: CUDA_ERROR_ILLEGAL_ADDRESS"));
    }

    [Test]
    public void Out_of_memory_says_who_asked_for_how_much_and_what_to_do()
    {
        var (code, output) = Dom(["eval", "--checkpoint", Checkpoint(), "--device", "cuda:0", "--json"], ("FAKE_MEMORY", "4000"));
        Assert.That(code, Is.EqualTo(1), output);
        Assert.That(output.Trim().Split('\n')[^1], Does.StartWith("dom: error: cuda:0: out of memory: ").And.Contain("asked for").And.Contain("Use a smaller batch"));
    }

    [TestCase("FAKE_DRIVER", "11040", "the NVIDIA driver supports CUDA 11.4; 11.8 (driver 520) or newer is needed")]
    [TestCase("FAKE_CAPABILITY", "75", "Fake GPU has compute capability 7.5; 8.0 (A100, RTX 30) or newer is needed")]
    [TestCase("FAKE_DEVICES", "0", "the NVIDIA driver finds no usable GPU (CUDA_ERROR_NO_DEVICE)")]
    public void What_is_too_old_or_not_there_is_named_and_auto_does_without(string name, string value, string reason)
    {
        var (code, output) = Dom(["check", "--device", "cuda:0"], (name, value));
        Assert.That((code, output.Trim()), Is.EqualTo((1, $"dom: error: cuda:0 cannot be used: {reason}.")));
        (code, output) = Dom(["check", "--filter", "sgdstep"], (name, value));
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain($"device: cpu ({reason})"));
        Assert.That(Log, Is.Empty, "no context is made on a device that is not used");
    }

    [Test]
    public void A_number_beyond_the_last_GPU_is_told_which_there_are()
    {
        Assert.That(Dom(["check", "--device", "cuda:7"]).Output.Trim(), Is.EqualTo("dom: error: cuda:7 does not exist: there is 1 GPU, cuda:0."));
        Assert.That(Dom(["check", "--device", "cuda:7"], ("FAKE_DEVICES", "2")).Output.Trim(), Is.EqualTo("dom: error: cuda:7 does not exist: there are 2 GPUs, cuda:0 to cuda:1."));
    }

    /// <summary>0: whatever is asked about is done; 1: it is when it is asked about again; else only whoever waits gets it.</summary>
    [TestCase("0")]
    [TestCase("1")]
    [TestCase("1000000")]
    public void A_run_trains_on_the_device_to_the_same_bytes_however_slow_it_is_and_to_those_of_a_device_that_works_at_once(string slow)
    {
        RequireAllKernels();
        string[] options = ["--dom", "remove", "--threshold", "2.3", "--warmup", "1", "--checkpoint-every", "3", "--log-steps"];
        string atOnce = Path.Combine(Folder, "at-once"), late = Path.Combine(Folder, $"late-{slow}");
        if (!Directory.Exists(atOnce))
        {
            var emulated = Cli.Run([.. Tiny("at-once", 4, 2), "--device", $"emulated:{Emulator.Library}", .. options]);
            Assert.That(emulated.Code, Is.Zero, emulated.Error);
        }
        var (code, output) = Dom([.. Tiny($"late-{slow}", 4, 2), "--device", "cuda:0", .. options], ("FAKE_SLOW", slow));
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Match(@"(?m)^device +cuda:0, f32 \(Fake GPU, 3 GiB\)"));
        Assert.That(Log[^1], Is.EqualTo("context gone, left: 0 blocks, 0 pinned, 0 modules, 0 streams, 0 events, 0 graphs"));
        string[] files = [.. Directory.GetFiles(Path.Combine(atOnce, "ledger")), .. Directory.GetFiles(Path.Combine(atOnce, "checkpoints")), Path.Combine(atOnce, "steps.jsonl")];
        foreach (string file in files)
            Assert.That(File.ReadAllBytes(file.Replace(atOnce, late, StringComparison.Ordinal)), Is.EqualTo(File.ReadAllBytes(file)), file);
    }

    [Test]
    public void The_host_queues_a_step_before_it_waits_for_the_one_in_front_of_it([Values("none", "pgd")] string attack)
    {
        RequireAllKernels();
        string trace = Path.Combine(Folder, $"trace-{attack}");
        var (code, output) = Dom(
            [.. Tiny($"ahead-{attack}", 4), "--device", "cuda:0", "--attack", attack, "--steps", "2", "--eval-steps", "1", "--dom", "remove", "--threshold", "2.3", "--warmup", "0"],
            ("FAKE_SLOW", "1000000"), ("FAKE_TRACE", trace));
        Assert.That(code, Is.Zero, output);
        // From the first step of the optimizer on, for in front of it memory may be made, to the last: the evaluation behind the epoch waits as it likes.
        const string step = "launch sgd_step_f32", wait = "wait for a copy";
        string[] all = [.. File.ReadAllLines(trace).Where(line => line is step || line.StartsWith("wait", StringComparison.Ordinal))];
        string[] steps = all[Array.IndexOf(all, step)..(Array.LastIndexOf(all, step) + 3)];
        Assert.That(steps, Is.EqualTo(new[] { step, step, wait, step, wait, step, wait, step, wait, wait }), "five steps, and nothing else waits inside them");
    }

    [Test]
    public void A_loss_that_is_not_finite_is_told_as_on_a_device_that_works_at_once_and_the_parameters_are_those_before_its_step([Values("0", "1000000")] string slow)
    {
        RequireAllKernels();
        string[] options = ["--lr", "1e30"];
        var atOnce = Cli.Run([.. Tiny($"diverged-at-once-{slow}", 4), "--device", $"emulated:{Emulator.Library}", .. options]);
        var (code, output) = Dom([.. Tiny($"diverged-{slow}", 4), "--device", "cuda:0", .. options], ("FAKE_SLOW", slow));
        Assert.That((atOnce.Code, code), Is.EqualTo((1, 1)), output);
        string expected = atOnce.Error.Trim().Split('\n')[^1];
        // Had the parameters moved, it would say that an update had overflowed, and not which operator did when the step was repeated.
        Assert.That(expected, Does.Match(@"the loss became \S+ in epoch 1, step [234]\. emulated: call \d+, "));
        Assert.That(output.Trim().Split('\n')[^1], Is.EqualTo(expected.Replace("emulated:", "cuda:0:", StringComparison.Ordinal)));
    }

    [Test]
    public void A_kernel_that_fails_while_the_host_is_ahead_is_told_with_those_that_were_launched_last()
    {
        RequireAllKernels();
        var (code, output) = Dom([.. Tiny("fault", 4), "--device", "cuda:0"], ("FAKE_FAULT", "sgd_step_f32"));
        Assert.That(code, Is.EqualTo(1), output);
        Assert.That(output, Does.Match(@"cuda:0: cu\w+.* failed: CUDA_ERROR_ILLEGAL_ADDRESS").And.Contain("sgd_step_f32"));
        Assert.That(Log[^1], Does.StartWith("context gone"));
    }

    [Test]
    public void A_training_step_is_benchmarked_as_training_does_it()
    {
        RequireAllKernels();
        string trace = Path.Combine(Folder, "trace-bench");
        var (code, output) = Dom(["bench", "--device", "cuda:0", "--model", "mlp", "--work", "train", "--batch", "4", "--rounds", "3"], ("FAKE_SLOW", "1000000"), ("FAKE_TRACE", trace));
        Assert.That(code, Is.Zero, output);
        string[] lines = [.. File.ReadAllLines(trace).Where(line => line is "launch sgd_step_f32" or "wait for all" or "wait for a copy")];
        const string step = "launch sgd_step_f32", copy = "wait for a copy", all = "wait for all";
        // The last of those to warm up; from nothing under way one in advance and three rounds, each of which waits for the one before it; and nothing under way again.
        int end = Array.FindLastIndex(lines, line => line == step);
        Assert.That(lines[(end - 8)..(end + 3)], Is.EqualTo(new[] { copy, all, step, copy, step, copy, step, copy, step, copy, all }));
    }

    private string Checkpoint()
    {
        string file = Path.Combine(Folder, "cpu", "checkpoints", "last.safetensors");
        if (!File.Exists(file))
            Assert.That(Cli.Run([.. Tiny("cpu"), "--device", "cpu"]).Code, Is.Zero);
        return file;
    }

    private string[] Tiny(string name, int batch = 10, int epochs = 1) =>
        ["train", "--limit-train", "20", "--limit-test", "10", "--epochs", $"{epochs}", "--batch", $"{batch}", "--model", "mlp", "--out", Path.Combine(Folder, name)];

    private static void RequireAllKernels()
    {
        using var backend = Emulator.Open();
        var missing = KernelCases.Calls.Where(call => !backend.Supports(call, Tensors.DType.F32)).ToArray();
        if (missing.Length > 0)
            Assert.Ignore($"no kernel yet for {string.Join(", ", missing.Select(call => call.Name))}.");
    }

    private string[] Log => File.Exists(_log) ? File.ReadAllLines(_log) : [];

    private (int Code, string Output) Dom(string[] arguments, params (string Name, string Value)[] environment) =>
        _driver!.Run(arguments, [("FAKE_LOG", _log), .. environment]);
}
