using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;

namespace Dom.Bench;

/// <summary>
/// What a user waits for and carries: the time from the start of a <c>dom train</c> process to its first finished step, seen from outside, and the bytes
/// of a self-contained <c>dom</c>.
/// </summary>
internal static class StartupTable
{
    /// <summary>Prints both.</summary>
    /// <param name="dom">The program to start; null for the one that is built beside the benchmark.</param>
    /// <param name="rounds">Processes to start.</param>
    /// <param name="publish">Whether to publish a self-contained <c>dom</c>, start that one and weigh it.</param>
    public static void Print(string? dom, int rounds, bool publish)
    {
        string scratch = Directory.CreateTempSubdirectory("dom-startup-").FullName;
        try
        {
            if (publish)
                dom = Publish(Path.Combine(scratch, "publish")) ?? dom;
            dom ??= Path.Combine(Repository.Root, "src", "Dom.Cli", "bin", "Release", "net10.0", "dom");
            if (!File.Exists(dom))
            {
                Say($"{dom} is not there: dotnet build -c Release src/Dom.Cli, or give --dom PATH.");
                return;
            }
            Say($"{dom} train --preset quick, {rounds} processes");
            var samples = new Samples();
            var load = new ForeignLoad(() => Environment.CpuUsage.TotalTime);
            for (int round = -1; round < rounds; round++)
            {
                double milliseconds = FirstStep(dom, Path.Combine(scratch, $"run{round}"));
                if (round >= 0)
                    samples.Add(milliseconds);
            }
            Say($"first step on disk {samples.Median:F0} ms after process start (fastest {samples.Min:F0}, slowest {samples.Max:F0}); it includes a checkpoint's writing");
            Say($"the processors were busy with this and other processes {load.Share:P0} of the time");
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>Milliseconds until the checkpoint of the first step is there.</summary>
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

    private static string? Publish(string folder)
    {
        string project = Path.Combine(Repository.Root, "src", "Dom.Cli", "Dom.Cli.csproj");
        foreach (bool compressed in new[] { true, false }) // the last one stays and is started
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
            using var process = Process.Start(new ProcessStartInfo("dotnet",
            [
                "publish", project, "-c", "Release", "-r", "linux-x64", "--self-contained", "-p:PublishSingleFile=true",
                $"-p:EnableCompressionInSingleFile={compressed}", "-o", folder, "-v", "q", "-nologo", "-m:1",
            ]))!;
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                Say($"dotnet publish failed (its message is above): bytes to deploy are not measured.");
                return null;
            }
            string program = Path.Combine(folder, "dom");
            long all = Directory.EnumerateFiles(folder).Where(f => !f.EndsWith(".pdb", StringComparison.Ordinal)).Sum(f => new FileInfo(f).Length);
            Say($"self-contained, {(compressed ? "compressed inside" : "not compressed inside")}: {all / 1e6:F1} MB in all, gzip of the program {Gzipped(program) / 1e6:F1} MB");
        }
        return Path.Combine(folder, "dom");
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
