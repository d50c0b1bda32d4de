using Dom.Kernels.Tests;

namespace Dom.Cli.Tests;

/// <summary>A folder with a libcuda.so.1 that is tests/Dom.Kernels.Tests/Emulation/libcuda.cpp; what its variables do is said there.</summary>
internal sealed class FakeDriver : IDisposable
{
    /// <summary>Compiles it; skips the test, with the reason, where there is no compiler for it.</summary>
    /// <param name="flags">More for the compiler.</param>
    public FakeDriver(params string[] flags)
    {
        _ = Emulator.Library;
        Folder = Directory.CreateTempSubdirectory("dom-fake-").FullName;
        string source = Path.Combine(Emulator.Kernels, "..", "tests", "Dom.Kernels.Tests", "Emulation", "libcuda.cpp");
        Emulator.Compile(["-std=c++20", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", .. flags, "-o", Path.Combine(Folder, "libcuda.so.1"), source, "-ldl"]);
    }

    /// <summary>The folder, for other files too.</summary>
    public string Folder { get; }

    /// <summary>Runs the program in a process of its own that finds this driver.</summary>
    public (int Code, string Output) Run(string[] arguments, params (string Name, string Value)[] environment)
    {
        var all = new Dictionary<string, string> { ["LD_LIBRARY_PATH"] = Folder, ["FAKE_KERNELS"] = Emulator.Library };
        foreach (var (name, value) in environment)
            all[name] = value;
        return Emulator.Run("dotnet", [Path.Combine(TestContext.CurrentContext.TestDirectory, "dom.dll"), .. arguments], all);
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
