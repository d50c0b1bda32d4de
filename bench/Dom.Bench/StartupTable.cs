using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;

namespace Dom.Bench;

/// <summary>
/// What a user waits for and carries: the time from the start of a <c>dom train</c> process to its first finished step, seen from outside, the time that
/// <c>dom --help</c> and <c>dom devices</c> take as a whole, and the bytes of a self-contained <c>dom</c>.
/// </summary>
internal static class StartupTable
{
    /// <summary>Prints all of it.</summary>
    /// <param name="dom">The program to start; null for the one that is built beside the benchmark.</param>
    /// <param name="rounds">Processes of each kind to start; kinds and programs take turns.</param>
    /// <param name="publish">Whether to publish <c>dom</c> as a user does, once plain and once compressed, start those and weigh them.</param>
    public static void Print(string? dom, int rounds, bool publish)
    {
        string scratch = Directory.CreateTempSubdirectory("dom-startup-").FullName;
        try
        {
            string built = dom ?? Path.Combine(Repository.Root, "src", "Dom.Cli", "bin", "Release", "net10.0", "dom");
            var programs = publish
                ? new[] { false, true }.Select(compressed => Publish(Path.Combine(scratch, compressed ? "compressed" : "plain"), compressed)).OfType<string>().ToArray()
                : File.Exists(built) ? [built] : [];
            if (programs.Length == 0)
                Say($"there is nothing to start: dotnet build -c Release src/Dom.Cli, or give --dom PATH.");
            else
                Measure(programs, scratch, rounds);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static void Measure(string[] programs, string scratch, int rounds)
    {
        (string What, Func<string, string, double> Milliseconds)[] kinds =
        [
            ("train --preset quick, first step on disk", FirstStep), ("--help", (program, _) => Whole(program, "--help")), ("devices", (program, _) => Whole(program, "devices")),
        ];
        var samples = new Samples[programs.Length, kinds.Length];
        var load = new ForeignLoad(() => Environment.CpuUsage.TotalTime);
        for (int round = -1; round < rounds; round++) // the first round fills the system's file cache
        {
            for (int p = 0; p < programs.Length; p++)
            {
                for (int kind = 0; kind < kinds.Length; kind++)
                {
                    double milliseconds = kinds[kind].Milliseconds(programs[p], Path.Combine(scratch, $"run{p}.{round}"));
                    if (round >= 0)
                        (samples[p, kind] ??= new Samples()).Add(milliseconds);
                }
            }
        }
        for (int p = 0; p < programs.Length; p++)
        {
            Say($"{programs[p]}, {rounds} processes of each, milliseconds from the start of the process:");
            for (int kind = 0; kind < kinds.Length; kind++)
            {
                var s = samples[p, kind];
                Say($"  {kinds[kind].What,-42} median {s.Median,6:F0}   fastest {s.Min,6:F0}   slowest {s.Max,6:F0}");
            }
        }
        Say($"the processors were busy with this and other processes {load.Share:P0} of the time");
    }

    /// <summary>Milliseconds until the checkpoint of the first step is there: a real step, its result written, synchronized and renamed.</summary>
    private static double FirstStep(string dom, string folder)
    {
        string checkpoint = Path.Combine(folder, "checkpoints", "last.safetensors");
        var start = new ProcessStartInfo(dom, ["train", "--preset", "quick", "--checkpoint-every", "1", "--out", folder]) { RedirectStandardOutput = true };
        long begin = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        while (!File.Exists(checkpoint) && !process.HasExited)
            Thread.Sleep(1);
        double milliseconds = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        process.Kill();
        process.WaitForExit();
        return File.Exists(checkpoint) ? milliseconds
            : throw new InvalidOperationException($"{dom} ended with code {process.ExitCode} before its first step; its message is above.");
    }

    /// <summary>Milliseconds until a process has ended and all that it wrote was read.</summary>
    private static double Whole(string dom, string argument)
    {
        long begin = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(dom, [argument]) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        double milliseconds = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
        return process.ExitCode == 0 ? milliseconds : throw new InvalidOperationException($"{dom} {argument} ended with code {process.ExitCode}.");
    }

    private static string? Publish(string folder, bool compressed)
    {
        string project = Path.Combine(Repository.Root, "src", "Dom.Cli");
        List<string> arguments = ["publish", "-c", "Release", "-r", "linux-x64", "--self-contained", project, "-o", folder, "-v", "q", "-nologo", "-m:1"];
        if (compressed)
            arguments.Add("-p:EnableCompressionInSingleFile=true");
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments))!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            Say($"dotnet publish failed (its message is above): bytes to deploy are not measured.");
            return null;
        }
        string program = Path.Combine(folder, "dom");
        long all = Directory.EnumerateFiles(folder).Where(f => !f.EndsWith(".pdb", StringComparison.Ordinal)).Sum(f => new FileInfo(f).Length);
        Say($"self-contained{(compressed ? ", compressed inside" : "")}: {all / 1e6:F1} MB in all, gzip of the program {Gzipped(program) / 1e6:F1} MB");
        return program;
    }

    private static long Gzipped(string path)
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.Optimal, leaveOpen: true))
        using (var source = File.OpenRead(path))
            source.CopyTo(gzip);
        return target.Length;
    }

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
