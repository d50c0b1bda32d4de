namespace Dom.Kernels.Tests.Cuda;

/// <summary>The emulator is only worth its name if it finds what is wrong: kernels with one mistake each, in a process of their own.</summary>
public sealed class EmulatorTests
{
    private const int WrongResult = 3;

    private string _folder = "";

    [OneTimeSetUp]
    public void Open() => _folder = Directory.CreateTempSubdirectory("dom-mistakes-").FullName;

    [OneTimeTearDown]
    public void Close() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_right_kernel_passes([Values] bool isChecked)
    {
        var (code, output) = Launch("reverse", isChecked);
        Assert.That((code, output), Is.EqualTo((0, "")));
    }

    [Test]
    public void A_missing_barrier_gives_a_wrong_result() => Assert.That(Launch("reverse_without_barrier", false).Code, Is.EqualTo(WrongResult));

    [Test]
    public void A_barrier_that_not_all_threads_reach_ends_the_process_and_is_named()
    {
        var (code, output) = Launch("reverse_with_divergent_barrier", false);
        Assert.That(code, Is.Not.Zero);
        Assert.That(output, Does.Contain("deadlock").And.Contain("barrier"));
    }

    [Test]
    public void A_read_past_a_buffer_is_found_under_AddressSanitizer()
    {
        var (code, output) = Launch("reverse_past_the_end", true);
        Assert.That(code, Is.Not.Zero);
        Assert.That(output, Does.Contain("heap-buffer-overflow").And.Contain("READ of size 4"));
    }

    private (int Code, string Output) Launch(string kernel, bool isChecked)
    {
        if (isChecked)
            _ = Emulator.AddressSanitizer;
        else
            Emulator.RequireCompiler();
        string program = Path.Combine(_folder, isChecked ? "checked" : "plain");
        if (!File.Exists(program))
        {
            string sources = Path.GetFullPath(Path.Combine(Emulator.Kernels, "..", "tests", "Dom.Kernels.Tests", "Emulation"));
            Emulator.Compile([
                "-std=c++20", "-O1", "-g1", "-DDOM_EMULATE", "-Wno-unused-function", "-I", Emulator.Kernels, .. isChecked ? Emulator.AddressSanitizerFlags.Split(' ') : [],
                "-o", program, "-x", "c++", Path.Combine(Emulator.Kernels, "host", "emulator.cpp"), Path.Combine(sources, "mistakes.cu"), Path.Combine(sources, "launch.cpp"),
            ]);
        }
        return Emulator.Run(program, [kernel], new() { ["ASAN_OPTIONS"] = "detect_leaks=0" });
    }
}
