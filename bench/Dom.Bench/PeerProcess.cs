using System.Diagnostics;
using System.Globalization;
using Dom.Tensors.Ops;

namespace Dom.Bench;

/// <summary>
/// A process of a peer, PyTorch or TorchSharp, that does a round of work whenever it is asked to, so that it can be
/// interleaved with ours.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    /// <summary>
    /// Settings that keep glibc from returning memory to the system and fetching it anew in every step.
    /// </summary>
    private static readonly Dictionary<string, string> s_keepsMemory = new()
    {
        ["MALLOC_MMAP_THRESHOLD_"] = "4294967296",
        ["MALLOC_TRIM_THRESHOLD_"] = "8589934592",
        ["MALLOC_TOP_PAD_"] = "67108864",
    };

    /// <summary>The same, and its memory asks for pages of 2 MiB, as ours does.</summary>
    private static readonly Dictionary<string, string> s_hugePages = new(s_keepsMemory) { ["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1" };

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

    /// <summary>
    /// Memory format and settings of glibc's malloc: what a user can choose without changing a program.
    /// </summary>
    public static IReadOnlyList<(string Name, string Layout, IReadOnlyDictionary<string, string> Settings)> Variants { get; } =
    [
        ("NCHW", "nchw", new Dictionary<string, string>()), ("channels_last", "channels_last", new Dictionary<string, string>()),
        ("NCHW, malloc tuned", "nchw", s_keepsMemory), ("channels_last, malloc tuned", "channels_last", s_keepsMemory),
        ("NCHW, malloc and huge pages", "nchw", s_hugePages), ("channels_last, malloc and huge pages", "channels_last", s_hugePages),
    ];

    /// <summary>
    /// Starts a script of bench/peer; null where there is no Python with PyTorch, and <paramref name="problem"/> then
    /// says so.
    /// </summary>
    public static PeerProcess? Start(
        string script, string[] arguments, IReadOnlyDictionary<string, string> settings, out string problem) => Start(
        "/usr/bin/python3", Path.Combine(Repository.Root, "bench", "peer", script), "PyTorch",
        "has no module torch (Debian: apt-get install python3-torch)", arguments, settings, out problem);

    /// <summary>Starts the training step in TorchSharp, where <see cref="HasTorchSharp"/>.</summary>
    public static PeerProcess? StartTorchSharp(
        string[] arguments, IReadOnlyDictionary<string, string> settings, out string problem) => Start(
        "dotnet", TorchSharp, "TorchSharp", "ended at once; its message is above", arguments, settings, out problem);

    private static PeerProcess? Start(
        string host, string program, string peer, string absence, string[] arguments,
        IReadOnlyDictionary<string, string> settings, out string problem)
    {
        var start = new ProcessStartInfo(host, [program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (string name in s_hugePages.Keys)
            start.Environment.Remove(name);
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
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

    /// <summary>Milliseconds of one round of pytorch_step.py.</summary>
    public double Round() => double.Parse(Ask("round"), CultureInfo.InvariantCulture);

    /// <summary>The largest resident size of pytorch_step.py so far, in bytes.</summary>
    public long PeakMemory() => long.Parse(Ask("memory"), CultureInfo.InvariantCulture);

    /// <summary>Makes the operands of a convolution in pytorch_conv.py.</summary>
    public void SetShape(Conv2dSizes s) =>
        Ask($"shape {s.Batch} {s.Height} {s.Width} {s.Inputs} {s.Outputs} {s.KernelHeight} {s.Stride} {s.Padding}");

    /// <summary>
    /// Milliseconds of one call of a pass in pytorch_conv.py, over as many calls as fill the seconds.
    /// </summary>
    public double Sample(Conv2dPass pass, double warmSeconds, double seconds) => double.Parse(
        Ask(string.Create(CultureInfo.InvariantCulture, $"{pass} {warmSeconds} {seconds}")), CultureInfo.InvariantCulture);

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
