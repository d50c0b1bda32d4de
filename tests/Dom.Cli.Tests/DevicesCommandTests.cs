using System.Text.Json;
using Dom.Kernels.Cpu;
using Dom.Kernels.Cuda;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

public sealed class DevicesCommandTests
{
    private static readonly Gpu s_hopper = new(0, "NVIDIA H100 80GB HBM3", 90, 132, 85_000_000_000, 50 << 20), s_turing = new(1, "Tesla T4", 75, 40, 16L << 30, 4 << 20);

    private static readonly GpuSurvey s_noDriver = new([], "no NVIDIA driver on this machine"), s_two = new([s_hopper, s_turing], null, 12040);

    [Test]
    public void The_list_names_the_processor_the_reference_and_what_auto_takes()
    {
        var run = Invocation.Run("devices");
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero);
            Assert.That(run.Lines[0], Does.StartWith("cpu ").And.Contains(Machine.ProcessorName));
            Assert.That(run.Output, Does.Contain("reference  ").And.Contain("GiB of memory").And.Contain(".NET 10"));
            Assert.That(run.Output, Does.Match("(?m)^cuda").And.Match("(?m)^auto       takes c"));
        });
    }

    [Test]
    public async Task Without_a_driver_the_list_says_so_and_auto_takes_the_processor()
    {
        var run = await Invocation.RunAsync(DevicesCommand.Create(() => s_noDriver), CancellationToken.None);
        Assert.That(run.Output, Does.Contain("cuda       none: no NVIDIA driver on this machine\n"));
        Assert.That(run.Output, Does.Contain("auto       takes cpu: no NVIDIA driver on this machine\n"));
    }

    [Test]
    public async Task Every_GPU_is_listed_with_what_it_has_and_one_that_is_too_old_with_the_reason()
    {
        var run = await Invocation.RunAsync(DevicesCommand.Create(() => s_two), CancellationToken.None);
        Assert.That(run.Output, Does.Contain(
            "cuda:0     NVIDIA H100 80GB HBM3\n"
            + "           compute capability 9.0, 132 multiprocessors, 79.2 GiB of memory, 50 MiB of L2; driver for CUDA 12.4\n"
            + "cuda:1     Tesla T4\n"
            + "           compute capability 7.5, 40 multiprocessors, 16.0 GiB of memory, 4 MiB of L2; driver for CUDA 12.4\n"
            + "           cannot be used: Tesla T4 has compute capability 7.5; 8.0 (A100, RTX 30) or newer is needed\n"));
        Assert.That(run.Output, Does.Contain("auto       takes cuda:0\n"));
    }

    [Test]
    public async Task The_list_as_json_has_an_entry_for_each_GPU()
    {
        var run = await Invocation.RunAsync(DevicesCommand.Create(() => s_two), CancellationToken.None, "--json");
        var json = JsonDocument.Parse(run.Output).RootElement;
        JsonElement first = json.GetProperty("devices")[2], second = json.GetProperty("devices")[3];
        Assert.Multiple(() =>
        {
            Assert.That(json.GetProperty("auto").GetString(), Is.EqualTo("cuda:0"));
            Assert.That(first.GetProperty("name").GetString(), Is.EqualTo("cuda:0"));
            Assert.That(first.GetProperty("gpu").GetString(), Is.EqualTo("NVIDIA H100 80GB HBM3"));
            Assert.That(first.GetProperty("computeCapability").GetString(), Is.EqualTo("9.0"));
            Assert.That(first.GetProperty("multiprocessors").GetInt32(), Is.EqualTo(132));
            Assert.That(first.GetProperty("memoryBytes").GetInt64(), Is.EqualTo(85_000_000_000));
            Assert.That(first.GetProperty("l2Bytes").GetInt64(), Is.EqualTo(50 << 20));
            Assert.That(first.GetProperty("driverCuda").GetString(), Is.EqualTo("12.4"));
            Assert.That(second.GetProperty("available").GetBoolean(), Is.False);
            Assert.That(second.GetProperty("reason").GetString(), Does.Contain("8.0"));
        });
    }

    [Test]
    public async Task Without_a_GPU_the_json_says_why()
    {
        var run = await Invocation.RunAsync(DevicesCommand.Create(() => s_noDriver), CancellationToken.None, "--json");
        var cuda = JsonDocument.Parse(run.Output).RootElement.GetProperty("devices")[2];
        Assert.That(cuda.GetProperty("available").GetBoolean(), Is.False);
        Assert.That(cuda.GetProperty("reason").GetString(), Is.EqualTo("no NVIDIA driver on this machine"));
    }

    [Test]
    public void The_list_as_json_gives_cores_simd_and_memory_as_the_runtime_sees_them()
    {
        var json = JsonDocument.Parse(Invocation.Run("devices", "--json").Output).RootElement;
        var cpu = json.GetProperty("devices")[0];
        Assert.Multiple(() =>
        {
            Assert.That(cpu.GetProperty("cores").GetInt32(), Is.EqualTo(Environment.ProcessorCount));
            Assert.That(cpu.GetProperty("simdBits").GetInt32(), Is.GreaterThanOrEqualTo(System.Numerics.Vector<byte>.Count * 8).Or.Zero);
            Assert.That(cpu.GetProperty("memoryBytes").GetInt64(), Is.GreaterThan(1 << 20));
            Assert.That(json.GetProperty("devices").GetArrayLength(), Is.GreaterThanOrEqualTo(3));
        });
    }

    [Test]
    public void The_processor_is_named_by_the_first_model_name_in_cpuinfo()
    {
        Assert.Multiple(() =>
        {
            Assert.That(Machine.FromCpuInfo(["processor\t: 0", "model\t\t: 1", "model name\t: Maker X: 3.0GHz", "model name\t: other"]), Is.EqualTo("Maker X: 3.0GHz"));
            Assert.That(Machine.FromCpuInfo(["processor\t: 0", "BogoMIPS\t: 50"]), Is.Null);
        });
    }

    [TestCase("cpu", typeof(CpuBackend))]
    [TestCase("CPU", typeof(CpuBackend))]
    [TestCase("reference", typeof(ReferenceBackend))]
    public void A_device_is_opened_by_its_name(string name, Type type)
    {
        using var backend = Devices.Open(name, 2);
        Assert.That(backend, Is.TypeOf(type));
        if (backend is CpuBackend cpu)
            Assert.That(cpu.Threads, Is.EqualTo(2));
    }

    [Test]
    public void Zero_threads_are_all_cores()
    {
        using var backend = (CpuBackend)Devices.Open("cpu", 0);
        Assert.That(backend.Threads, Is.EqualTo(Environment.ProcessorCount));
    }

    [Test]
    public void Convolutions_are_computed_as_asked_and_by_shape_where_nothing_is_said()
    {
        using CpuBackend direct = (CpuBackend)Devices.Open("cpu", 1, ConvolutionMethod.Direct), otherwise = (CpuBackend)Devices.Open("cpu", 1);
        Assert.That((direct.Convolution, otherwise.Convolution), Is.EqualTo((ConvolutionMethod.Direct, ConvolutionMethod.Auto)));
    }

    [Test]
    public void An_unknown_device_is_wrong_usage_and_brings_the_nearest_name() =>
        Assert.That(() => Devices.Open("referense", 0), Throws.TypeOf<OptionException>().With.Message.EndsWith("did you mean 'reference'?"));

    [TestCase(-1)]
    [TestCase(1025)]
    public void A_number_of_threads_that_makes_no_sense_is_wrong_usage(int threads) =>
        Assert.That(() => Devices.Open("cpu", threads), Throws.TypeOf<OptionException>().With.Message.Contains($"--threads is {threads}"));

    [Test]
    public void Auto_takes_the_first_GPU_that_can_be_used_and_says_which()
    {
        Assert.That(Devices.Resolve("auto", () => s_two), Is.EqualTo(("cuda:0", "NVIDIA H100 80GB HBM3, 79 GiB")));
        var second = s_two with { Gpus = [s_turing with { Device = 0 }, s_hopper with { Device = 1 }] };
        Assert.That(Devices.Resolve("Auto", () => second).Name, Is.EqualTo("cuda:1"));
    }

    [Test]
    public void Auto_takes_the_processor_where_no_GPU_can_be_used_and_says_why()
    {
        Assert.That(Devices.Resolve("auto", () => s_noDriver), Is.EqualTo(("cpu", "no NVIDIA driver on this machine")));
        var (name, why) = Devices.Resolve("auto", () => s_two with { Gpus = [s_turing] });
        Assert.That((name, why), Is.EqualTo(("cpu", "Tesla T4 has compute capability 7.5; 8.0 (A100, RTX 30) or newer is needed")));
        Assert.That(Devices.Resolve("auto", () => new GpuSurvey([], null, 12040)), Is.EqualTo(("cpu", "the NVIDIA driver shows no GPU")));
    }

    [TestCase("cuda", "cuda:0", "NVIDIA H100 80GB HBM3, 79 GiB")]
    [TestCase("CUDA:0", "cuda:0", "NVIDIA H100 80GB HBM3, 79 GiB")]
    [TestCase("cuda:1", "cuda:1", "Tesla T4, 16 GiB")]
    [TestCase("cuda:7", "cuda:7", null)]
    public void A_GPU_is_named_by_its_number_and_told_by_its_name(string asked, string name, string? why) =>
        Assert.That(Devices.Resolve(asked, () => s_two), Is.EqualTo((name, why)));

    [TestCase("cpu")]
    [TestCase("reference")]
    public void Who_asks_for_the_processor_does_not_wait_for_a_look_for_GPUs(string device) =>
        Assert.That(Devices.Resolve(device, () => throw new InvalidOperationException("asked")), Is.EqualTo((device, (string?)null)));

    [TestCase(4, ConvolutionMethod.Auto, "--threads is for cpu only")]
    [TestCase(0, ConvolutionMethod.Direct, "--conv is for cpu only")]
    [TestCase(4, ConvolutionMethod.Direct, "--threads and --conv are for cpu only")]
    [TestCase(0, ConvolutionMethod.Auto, null)]
    public void What_does_nothing_on_the_device_is_told(int threads, ConvolutionMethod convolution, string? expected)
    {
        string? said = null;
        using var backend = Devices.Open("reference", threads, convolution, remark => said = remark);
        Assert.That(said, Is.EqualTo(expected));
    }

    [TestCase("cuda")]
    [TestCase("cuda:0")]
    [TestCase("cuda:7")]
    public void Without_a_driver_a_GPU_cannot_be_opened(string name)
    {
        NoGpu.Require();
        Assert.That(() => Devices.Open(name, 0), Throws.TypeOf<DeviceException>().With.Message.Contains("cannot be used: no").And.Message.Contains("NVIDIA"));
    }

    [Test]
    public void A_train_run_on_a_GPU_that_is_not_there_leaves_nothing_on_the_disk()
    {
        NoGpu.Require();
        using var scratch = new ScratchFolder();
        Cli.Run("train", "--preset", "quick", "--device", "cuda:0", "--out", scratch["run"]).ShouldFail(ExitCode.Failed, "cuda:0", "NVIDIA");
        Assert.That(Directory.GetFileSystemEntries(scratch.Root), Is.Empty);
    }

    [Test]
    public void A_run_that_was_on_a_GPU_which_is_gone_says_how_to_go_on_and_does()
    {
        NoGpu.Require();
        using var scratch = new ScratchFolder();
        string[] tiny = ["train", "--limit-train", "20", "--limit-test", "10", "--epochs", "1", "--batch", "10", "--model", "mlp", "--threads", "1"];
        Assert.That(Cli.Run([.. tiny, "--device", "cpu", "--out", scratch["run"]]).Code, Is.Zero);
        string file = Path.Combine(scratch["run"], "run.json");
        string description = File.ReadAllText(file).Replace("\"device\": \"cpu\"", "\"device\": \"cuda:0\"", StringComparison.Ordinal);
        File.WriteAllText(file, description);
        Cli.Run("train", "--resume", scratch["run"]).ShouldFail(ExitCode.Failed, "the run was on cuda:0", "no NVIDIA driver", "--device cpu");
        Assert.That(File.ReadAllText(file), Is.EqualTo(description), "nothing is changed");
        var resumed = Cli.Run("train", "--resume", scratch["run"], "--device", "cpu");
        Assert.That(resumed.Code, Is.Zero, resumed.Error);
    }

    [Test]
    public void A_run_says_which_device_it_took_and_why()
    {
        NoGpu.Require();
        using var scratch = new ScratchFolder();
        string[] tiny = ["train", "--limit-train", "20", "--limit-test", "10", "--epochs", "1", "--batch", "10", "--model", "mlp", "--threads", "1"];
        Assert.That(Cli.Run([.. tiny, "--out", scratch["run"]]).Output, Does.Match(@"(?m)^device +cpu, 1 threads, .*\(no NVIDIA driver on this machine\)"));
        var eval = Cli.Run("eval", "--checkpoint", Path.Combine(scratch["run"], "checkpoints", "last.safetensors"), "--json");
        Assert.That(eval.Error, Does.Contain("device: cpu (no NVIDIA driver on this machine)"));
        Assert.That(eval.Output, Does.StartWith("{").And.Not.Contain("device:"), "one line of JSON and nothing else");
    }
}

/// <summary>Skips a test about machines without a GPU on a machine that has one.</summary>
internal static class NoGpu
{
    public static void Require()
    {
        if (GpuSurvey.Take().Problem is not "no NVIDIA driver on this machine")
            Assert.Ignore("this machine has an NVIDIA driver.");
    }
}
