using System.Diagnostics;
using System.Globalization;

namespace Dom.Bench;

/// <summary>A process of a peer, PyTorch or TorchSharp, that does a round of work whenever it is asked to, so that it can be interleaved with ours.</summary>
internal sealed class PeerProcess : IDisposable
{
    /// <summary>Settings that keep glibc from returning memory to the system and fetching it anew in every step.</summary>
    public static IReadOnlyDictionary<string, string> KeepsMemory { get; } = new Dictionary<string, string>
    {
        ["MALLOC_MMAP_THRESHOLD_"] = "4294967296",
        ["MALLOC_TRIM_THRESHOLD_"] = "8589934592",
        ["MALLOC_TOP_PAD_"] = "67108864",
    };

    private readonly Process _process;

    private PeerProcess(Process process, string version) => (_process, Version) = (process, version);

    /// <summary>Whether the peer in TorchSharp is there: bench/Dom.Bench.TorchSharp, built with CardPackages=true.</summary>
    public static bool HasTorchSharp => File.Exists(Path.ChangeExtension(TorchSharp, ".runtimeconfig.json"));

    private static string TorchSharp { get; } = Path.Combine(
        Repository.Root, "bench", "Dom.Bench.TorchSharp", "bin", "Release", "net10.0", "Dom.Bench.TorchSharp.dll");

    /// <summary>"PyTorch 1.13.1".</summary>
    public string Version { get; }

    /// <summary>Processor time of all its threads so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Starts a process; null where there is no Python with PyTorch, and <paramref name="problem"/> then says so.</summary>
    public static PeerProcess? Start(string work, int threads, int batch, bool channelsLast, bool keepsMemory, out string problem) => Start(
        "/usr/bin/python3", Path.Combine(Repository.Root, "bench", "peer", "pytorch_step.py"), "PyTorch", "has no module torch (Debian: apt-get install python3-torch)",
        [work, $"{threads}", $"{batch}", channelsLast ? "channels_last" : "nchw"], keepsMemory, out problem);

    /// <summary>The same in TorchSharp, where <see cref="HasTorchSharp"/>.</summary>
    public static PeerProcess? StartTorchSharp(string work, int threads, int batch, bool channelsLast, bool keepsMemory, out string problem) => Start(
        "dotnet", TorchSharp, "TorchSharp", "ended at once; its message is above",
        [work, $"{threads}", $"{batch}", channelsLast ? "channels_last" : "nchw"], keepsMemory, out problem);

    private static PeerProcess? Start(
        string host, string program, string peer, string absence, string[] arguments, bool keepsMemory, out string problem)
    {
        var start = new ProcessStartInfo(host, [program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (var (name, value) in KeepsMemory)
        {
            start.Environment.Remove(name);
            if (keepsMemory)
                start.Environment[name] = value;
        }
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            problem = $"{peer} is not compared: {host} cannot be started ({e.Message}).";
            return null;
        }
        if (process.StandardOutput.ReadLine() is { } version)
        {
            problem = "";
            return new PeerProcess(process, version);
        }
        process.WaitForExit();
        process.Dispose();
        problem = $"{peer} is not compared: {host} {absence}.";
        return null;
    }

    /// <summary>Milliseconds of one round.</summary>
    public double Round() => double.Parse(Ask("round"), CultureInfo.InvariantCulture);

    /// <summary>The process's largest resident size so far, in bytes.</summary>
    public long PeakMemory() => long.Parse(Ask("memory"), CultureInfo.InvariantCulture);

    public void Dispose()
    {
        _process.StandardInput.Close(); // the end of its input ends it
        _process.WaitForExit();
        _process.Dispose();
    }

    private string Ask(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
        return _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The peer's process ended; its message is above.");
    }
}
