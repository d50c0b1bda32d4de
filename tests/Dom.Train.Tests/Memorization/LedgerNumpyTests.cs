using System.Diagnostics;
using Dom.Train.Memorization;

namespace Dom.Train.Tests.Memorization;

public class LedgerNumpyTests
{
    private const string Python = "/usr/bin/python3";

    [Test]
    public void Numpy_loads_a_column_also_with_a_half_written_row_behind_it()
    {
        string folder = Directory.CreateTempSubdirectory("dom-numpy-").FullName;
        try
        {
            var store = LedgerStore.Create(folder, 2, [LedgerColumns.NaturalLoss]);
            store.WriteStatic(LedgerColumns.TrueLabel, [3, 9]);
            store.Append(new Dictionary<string, float[]> { [LedgerColumns.NaturalLoss] = [0.25f, 1.5f] });
            store.Append(new Dictionary<string, float[]> { [LedgerColumns.NaturalLoss] = [2f, float.NaN] });
            using (var torn = new FileStream(Path.Combine(folder, "natural_loss.npy"), FileMode.Append))
                torn.Write([1, 2, 3, 4, 5]);
            string output = RunPython("""
                import sys, numpy as np
                for name in ('natural_loss', 'true_label'):
                    for mode in (None, 'r'):
                        x = np.load(sys.argv[1] + '/' + name + '.npy', mmap_mode=mode)
                        print(x.dtype, x.shape, x.tolist())
                """, folder);
            const string loss = "float32 (2, 2) [[0.25, 1.5], [2.0, nan]]\n", label = "int32 (2,) [3, 9]\n";
            Assert.That(output.ReplaceLineEndings("\n"), Is.EqualTo(loss + loss + label + label));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string RunPython(string script, params string[] arguments)
    {
        if (!File.Exists(Python))
            Assert.Ignore($"{Python} is not there to read the file independently.");
        var start = new ProcessStartInfo(Python, ["-c", script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (errors.Result.Contains("No module named 'numpy'", StringComparison.Ordinal))
            Assert.Ignore("numpy is not installed.");
        Assert.That(process.ExitCode, Is.Zero, errors.Result);
        return output;
    }
}
