using System.Diagnostics;
using Dom.Nn.StateDictionaries;

namespace Dom.Oracles;

/// <summary>
/// PyTorch as the independent truth: runs the Python scripts that lie beside this file, which exchange arrays with the tests as safetensors.
/// Tests are skipped where Python or PyTorch is absent.
/// </summary>
internal sealed class PyTorch : IDisposable
{
    private const string Python = "/usr/bin/python3";

    private static readonly Lazy<string?> s_absence = new(() => FindAbsence("torch")), s_torchvisionAbsence = new(() => FindAbsence("torchvision"));

    private readonly string _folder = Directory.CreateTempSubdirectory("dom-pytorch-").FullName;

    private PyTorch() { }

    /// <summary>A folder for files that both sides see.</summary>
    /// <remarks>Skips the test where PyTorch is absent.</remarks>
    public static PyTorch OrSkip() => OrSkip(s_absence.Value);

    /// <summary>The same for scripts that use torchvision too.</summary>
    public static PyTorch WithTorchvisionOrSkip() => OrSkip(s_absence.Value ?? s_torchvisionAbsence.Value);

    /// <summary>The path of a file in the folder.</summary>
    public string this[string file] => Path.Combine(_folder, file);

    /// <summary>Runs a script; an argument that is "." stands for the folder.</summary>
    public void Run(string script, params string[] arguments)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Oracles", script);
        var (code, error) = Start([path, .. arguments.Select(a => a == "." ? _folder : a)]);
        Assert.That(code, Is.Zero, error);
    }

    /// <summary>A file of arrays that a script wrote.</summary>
    public SafetensorsFile Read(string file) => SafetensorsFile.Read(this[file]);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static PyTorch OrSkip(string? absence)
    {
        if (absence is not null)
            Assert.Ignore(absence);
        return new PyTorch();
    }

    private static string? FindAbsence(string package)
    {
        if (!File.Exists(Python))
            return $"{Python} is absent; {package} is the independent truth of this test.";
        var (code, error) = Start(["-c", $"import numpy, {package}"]);
        return code == 0 ? null : $"{Python} has no {package}, the independent truth of this test: {error.Trim().Split('\n')[^1]}";
    }

    private static (int Code, string Error) Start(string[] arguments)
    {
        var info = new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        info.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEndAsync();
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error.GetAwaiter().GetResult());
    }
}
