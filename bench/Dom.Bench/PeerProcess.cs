using System.Diagnostics;
using System.Globalization;
using Dom.Tensors.Ops;

namespace Dom.Bench;

/// <summary>
/// A PyTorch process that does a round of work whenever it is asked to, so that it can be interleaved with ours.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    /// <summary>
    /// Settings that keep glibc from returning memory to the system and fetching it anew in every step.
    /// </summary>
    public static IReadOnlyDictionary<string, string> KeepsMemory { get; } = new Dictionary<string, string>
    {
        ["MALLOC_MMAP_THRESHOLD_"] = "4294967296",
        ["MALLOC_TRIM_THRESHOLD_"] = "8589934592",
        ["MALLOC_TOP_PAD_"] = "67108864",
    };

    private readonly Process _process;

    private PeerProcess(Process process, string version) => (_process, Version) = (process, version);

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
    /// Memory format and whether glibc keeps memory: what a user of PyTorch can choose without changing a program.
    /// </summary>
    public static IReadOnlyList<(string Name, string Layout, bool KeepsMemory)> Variants { get; } =
    [
        ("NCHW", "nchw", false), ("channels_last", "channels_last", false),
        ("NCHW, malloc tuned", "nchw", true), ("channels_last, malloc tuned", "channels_last", true),
    ];

    /// <summary>
    /// Starts a script of bench/peer; null where there is no Python with PyTorch, and <paramref name="problem"/> then
    /// says so.
    /// </summary>
    public static PeerProcess? Start(string script, string[] arguments, bool keepsMemory, out string problem)
    {
        string path = Path.Combine(Repository.Root, "bench", "peer", script);
        var start = new ProcessStartInfo("/usr/bin/python3", [path, .. arguments])
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
            problem = $"PyTorch is not compared: {start.FileName} cannot be started ({e.Message}).";
            return null;
        }
        if (process.StandardOutput.ReadLine() is { } version)
        {
            problem = "";
            return new PeerProcess(process, version);
        }
        process.WaitForExit();
        process.Dispose();
        problem = $"PyTorch is not compared: {start.FileName} has no module torch (Debian: apt-get install python3-torch).";
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
        return _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The PyTorch process ended; its message is above.");
    }
}
