using System.Text.Json;
using Dom.Kernels.Tests;

namespace Dom.Cli.Tests;

/// <summary>The GPU kernels on the processor, for those who write them: <c>dom check --device emulated:LIBRARY</c>.</summary>
public sealed class EmulatedDeviceTests
{
    [Test]
    public void The_conformance_suite_runs_on_the_emulated_device()
    {
        var run = Invocation.Run("check", "--device", $"emulated:{Emulator.Library}", "--filter", "relu", "--json");
        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(JsonDocument.Parse(run.Output).RootElement.GetProperty("device").GetString(), Is.EqualTo("emulated"));
    }

    /// <summary>A read beyond a buffer changes nothing that could be compared; AddressSanitizer sees it, and the suite puts forbidden bytes around every buffer.</summary>
    [Test]
    public void No_kernel_reads_or_writes_beside_its_buffers()
    {
        var environment = new Dictionary<string, string> { ["LD_PRELOAD"] = Emulator.AddressSanitizer, ["ASAN_OPTIONS"] = "detect_leaks=0:detect_stack_use_after_return=0" };
        var (code, output) = Emulator.Run(
            "dotnet", [Path.Combine(TestContext.CurrentContext.TestDirectory, "dom.dll"), "check", "--device", $"emulated:{Emulator.CheckedLibrary}"], environment);
        Assert.That(code, Is.Zero, output);
        string last = output.Trim().Split('\n')[^1];
        Assert.That(last, Does.Match(@"^[1-9]\d* passed, 0 failed"));
        TestContext.Out.WriteLine(last);
    }
}
