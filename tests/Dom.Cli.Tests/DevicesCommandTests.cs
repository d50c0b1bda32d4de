using System.Text.Json;
using Dom.Kernels.Cpu;
using Dom.Kernels.Reference;
using Dom.Tensors;
using Dom.Train.Training;

namespace Dom.Cli.Tests;

public sealed class DevicesCommandTests
{
    [Test]
    public void The_list_names_the_processor_the_reference_and_says_that_there_is_no_cuda()
    {
        var run = Invocation.Run("devices");
        Assert.Multiple(() =>
        {
            Assert.That(run.Code, Is.Zero);
            Assert.That(run.Lines[0], Does.StartWith("cpu ").And.Contains(Machine.ProcessorName));
            Assert.That(run.Output, Does.Contain("reference  ").And.Contain("GiB of memory").And.Contain(".NET 10"));
            Assert.That(run.Output, Does.Contain("no CUDA backend in this version"));
        });
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
            Assert.That(json.GetProperty("devices")[2].GetProperty("available").GetBoolean(), Is.False);
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
    [TestCase("auto", typeof(CpuBackend))]
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
        using CpuBackend direct = (CpuBackend)Devices.Open("cpu", 1, ConvolutionMethod.Direct), otherwise = (CpuBackend)Devices.Open("auto", 1);
        Assert.That((direct.Convolution, otherwise.Convolution), Is.EqualTo((ConvolutionMethod.Direct, ConvolutionMethod.Auto)));
    }

    [Test]
    public void An_unknown_device_is_wrong_usage_and_brings_the_nearest_name() =>
        Assert.That(() => Devices.Open("referense", 0), Throws.TypeOf<OptionException>().With.Message.EndsWith("did you mean 'reference'?"));

    [TestCase(-1)]
    [TestCase(1025)]
    public void A_number_of_threads_that_makes_no_sense_is_wrong_usage(int threads) =>
        Assert.That(() => Devices.Open("cpu", threads), Throws.TypeOf<OptionException>().With.Message.Contains($"--threads is {threads}"));

    [TestCase("cuda")]
    [TestCase("cuda:0")]
    public void A_cuda_device_is_refused_with_what_there_is(string name) => Assert.That(() => Devices.Open(name, 0),
        Throws.TypeOf<DeviceException>().With.Message.Contains("no CUDA backend").And.Message.Contains("auto, cpu, reference"));
}
