using System.Diagnostics;

namespace Dom.Cli.Tests;

/// <summary>Runs a command in a process of its own.</summary>
internal static class DomProcess
{
    /// <summary>Starts it; its output can be read.</summary>
    public static Process Start(params string[] arguments)
    {
        string program = Path.Combine(TestContext.CurrentContext.TestDirectory, "dom.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    /// <summary>Starts it and waits for its end.</summary>
    public static Cli.Result Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return new Cli.Result(process.ExitCode, output.Result, error);
    }

    /// <summary>Reads its output up to a line that contains a text, and throws the rest away, so that it never waits for a reader.</summary>
    public static void WaitForLine(this Process process, string part)
    {
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (line.Contains(part, StringComparison.Ordinal))
            {
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return;
            }
        }
        Assert.Fail($"The process ended before it wrote '{part}': {process.StandardError.ReadToEnd()}");
    }
}
