using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Dom.Tensors.Tests.Ops;

/// <summary>Asks PyTorch what the right answer is; the test is skipped where PyTorch is not installed.</summary>
internal static class TorchOracle
{
    private const string Python = "/usr/bin/python3";

    private const string Frame = """
        import sys
        try:
            import numpy as np, torch
        except ImportError as e:
            print(e); sys.exit(42)
        x = torch.from_numpy(np.fromfile(sys.argv[1], '<f4'))
        """;

    /// <summary>Runs a script that finds <paramref name="x"/> as the f32 vector <c>x</c> and leaves the answer in <c>y</c>.</summary>
    public static float[] Ask(string script, float[] x)
    {
        if (!File.Exists(Python))
            Assert.Ignore($"{Python} is not there; PyTorch cannot be asked.");
        string question = Path.GetTempFileName(), answer = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(question, MemoryMarshal.AsBytes(x.AsSpan()).ToArray());
            string whole = $"{Frame}\n{script}\ny.detach().numpy().astype('<f4').tofile(sys.argv[2])\n";
            using var process = Process.Start(new ProcessStartInfo(Python, ["-c", whole, question, answer])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 42)
                Assert.Ignore($"PyTorch is not installed: {output.Trim()}.");
            Assert.That(process.ExitCode, Is.Zero, errors.Result);
            return MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(answer)).ToArray();
        }
        finally
        {
            File.Delete(question);
            File.Delete(answer);
        }
    }
}
