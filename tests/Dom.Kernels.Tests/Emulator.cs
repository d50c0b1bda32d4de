using System.Diagnostics;
using System.Runtime.CompilerServices;
using Dom.Kernels.Cuda;

namespace Dom.Kernels.Tests;

/// <summary>The GPU kernels compiled for the host's processor; built once a test run where there is a clang that can.</summary>
internal static class Emulator
{
    private static readonly Lazy<(string? Library, string Problem)> s_library = new(Build);

    /// <summary>The folder of the kernels' sources.</summary>
    public static string Kernels { get; } = Path.GetFullPath(Path.Combine(Here(), "..", "..", "kernels"));

    /// <summary>A backend on the emulated device; skips the test, with the reason, where it cannot be built for want of a compiler.</summary>
    public static CudaBackend Open(int computeCapability = 80)
    {
        if (s_library.Value.Library is null)
            Assert.Ignore(s_library.Value.Problem);
        return CudaBackend.Emulate(s_library.Value.Library!, computeCapability);
    }

    /// <summary>Whether there is the compiler that the kernels are built with.</summary>
    public static bool HasCompiler { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "clang++-22")));

    /// <summary>Runs <c>kernels/build.sh</c>; its output where it fails, else null.</summary>
    public static string? RunBuild(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(Kernels, "build.sh"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + error.Result;
        process.WaitForExit();
        return process.ExitCode == 0 ? null : output;
    }

    private static (string?, string) Build()
    {
        if (!HasCompiler)
            return (null, "clang++-22 is not installed: the GPU kernels cannot be compiled for the host's processor.");
        string library = Path.Combine(AppContext.BaseDirectory, "libdom_emulated.so");
        if (RunBuild("emulator", library) is { } problem)
            throw new InvalidOperationException($"kernels/build.sh emulator failed:\n{problem}");
        return (library, "");
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
