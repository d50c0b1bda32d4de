using System.Diagnostics;
using System.Runtime.CompilerServices;
using Dom.Kernels.Cuda;

namespace Dom.Kernels.Tests;

/// <summary>The GPU kernels compiled for the host's processor; built once a test run where there is a clang that can.</summary>
internal static class Emulator
{
    private const string Compiler = "clang++-22";

    private static readonly Lazy<string> s_library = new(() => Build("libdom_emulated.so")), s_checked = new(() => Build("libdom_emulated_asan.so", AddressSanitizerFlags));

    /// <summary>The folder of the kernels' sources.</summary>
    public static string Kernels { get; } = Path.GetFullPath(Path.Combine(Here(), "..", "..", "kernels"));

    /// <summary>How kernels are compiled for <see cref="AddressSanitizer"/>. Fibers keep their own stacks, which must not be swapped for the sanitizer's.</summary>
    public static string AddressSanitizerFlags => "-fsanitize=address -fsanitize-address-use-after-return=never";

    /// <summary>Whether there is the compiler that the kernels are built with.</summary>
    public static bool HasCompiler { get; } = Find(Compiler) is not null;

    /// <summary>The emulated device's library; skips the test, with the reason, where it cannot be built for want of a compiler.</summary>
    public static string Library
    {
        get
        {
            RequireCompiler();
            return s_library.Value;
        }
    }

    /// <summary>The same for a process that runs under <see cref="AddressSanitizer"/>.</summary>
    public static string CheckedLibrary
    {
        get
        {
            _ = AddressSanitizer;
            return s_checked.Value;
        }
    }

    /// <summary>The runtime of the compiler's AddressSanitizer, to be loaded before all else; skips the test, with the reason, where it is not installed.</summary>
    public static string AddressSanitizer
    {
        get
        {
            RequireCompiler();
            string path = Run(Compiler, ["-print-file-name=libclang_rt.asan-x86_64.so"]).Output.Trim();
            if (!File.Exists(path))
                Assert.Ignore("AddressSanitizer's runtime is not installed (libclang-rt-22-dev).");
            return path;
        }
    }

    /// <summary>A backend on the emulated device; skips the test, with the reason, where it cannot be built for want of a compiler.</summary>
    public static CudaBackend Open(int computeCapability = 80) => CudaBackend.Emulate(Library, computeCapability);

    /// <summary>Skips the test where there is no compiler.</summary>
    public static void RequireCompiler()
    {
        if (!HasCompiler)
            Assert.Ignore($"{Compiler} is not installed: the GPU kernels cannot be compiled.");
    }

    /// <summary>Runs <c>kernels/build.sh</c>; its output where it fails, else null.</summary>
    public static string? RunBuild(string flags, params string[] arguments)
    {
        var (code, output) = Run("bash", [Path.Combine(Kernels, "build.sh"), .. arguments], new() { ["EMULATOR_FLAGS"] = flags });
        return code == 0 ? null : output;
    }

    /// <summary>Runs the compiler of the kernels; fails the test where it fails.</summary>
    public static void Compile(params string[] arguments)
    {
        var (code, output) = Run(Compiler, arguments);
        Assert.That(code, Is.Zero, output);
    }

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit code, and what it wrote to both outputs.</returns>
    public static (int Code, string Output) Run(string program, IEnumerable<string> arguments, Dictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment ?? [])
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + error.Result;
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    /// <summary>A program on the PATH or in the folder that the environment variable names (or its bin), or null.</summary>
    public static string? Find(string program, string? variable = null)
    {
        string? own = variable is null ? null : Environment.GetEnvironmentVariable(variable);
        string[] folders = [.. own is null ? [] : new[] { own, Path.Combine(own, "bin") }, .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)];
        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
    }

    private static string Build(string name, string flags = "")
    {
        string library = Path.Combine(AppContext.BaseDirectory, name);
        return RunBuild(flags, "emulator", library) is { } problem
            ? throw new InvalidOperationException($"kernels/build.sh emulator failed:\n{problem}")
            : library;
    }

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
