using System.Diagnostics;

namespace Dom.Train.Tests.Data;

/// <summary>What a machine may have beside the checkout; a test that needs it is skipped, with the reason, where it is absent.</summary>
internal static class SharedData
{
    private const string Python = "/usr/bin/python3";

    /// <summary>The folder <c>shared/data</c> beside the checkout.</summary>
    public static string FolderOrSkip()
    {
        for (var folder = new DirectoryInfo(TestContext.CurrentContext.TestDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(candidate))
                return candidate;
        }
        Assert.Ignore("there is no folder shared/data beside the checkout");
        return "";
    }

    /// <summary>A file in the folder <c>shared/data</c>.</summary>
    public static string Require(string file)
    {
        string path = Path.Combine(FolderOrSkip(), file);
        if (!File.Exists(path))
            Assert.Ignore($"there is no {file} in shared/data beside the checkout");
        return path;
    }

    /// <summary>What a Python script that needs the given modules prints.</summary>
    public static string PythonOrSkip(string script, params string[] modules)
    {
        if (!File.Exists(Python) || Run($"import {string.Join(", ", modules)}").ExitCode != 0)
            Assert.Ignore($"{Python} with {string.Join(", ", modules)} is not installed");
        var (exitCode, output, error) = Run(script);
        Assert.That(exitCode, Is.Zero, error);
        return output;
    }

    private static (int ExitCode, string Output, string Error) Run(string script)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }
}
