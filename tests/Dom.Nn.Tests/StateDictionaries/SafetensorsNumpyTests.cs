using System.Diagnostics;
using Dom.Nn.StateDictionaries;

namespace Dom.Nn.Tests.StateDictionaries;

public class SafetensorsNumpyTests
{
    private const string Python = "/usr/bin/python3";

    // An independent reader and writer of the format, from its description.
    private const string Script = """
        import json, struct, sys
        import numpy as np
        types = {'F32': '<f4', 'F64': '<f8', 'I64': '<i8', 'I32': '<i4', 'U8': 'u1'}
        raw = open(sys.argv[1], 'rb').read()
        n, = struct.unpack('<Q', raw[:8])
        assert n % 8 == 0
        header = json.loads(raw[8:8 + n].decode('utf-8'))
        print('meta', header.pop('__metadata__')['note'])
        for name in sorted(header):
            e = header[name]
            b, end = e['data_offsets']
            x = np.frombuffer(raw[8 + n + b:8 + n + end], types[e['dtype']]).reshape(e['shape'])
            assert b % x.dtype.itemsize == 0
            print(name, x.dtype, x.shape, float(x.astype('f8').sum()))
        a = np.arange(6, dtype='<f4').reshape(2, 3) / 4
        h = json.dumps({'z': {'data_offsets': [0, 24], 'dtype': 'F32', 'shape': [2, 3]}, '__metadata__': {'format': 'pt'}}).encode()
        open(sys.argv[2], 'wb').write(struct.pack('<Q', len(h)) + h + a.tobytes())
        """;

    [Test]
    public void Numpy_reads_what_was_written_and_the_other_way_round()
    {
        string folder = TestContext.CurrentContext.WorkDirectory;
        string written = Path.Combine(folder, "for-numpy.safetensors"), fromNumpy = Path.Combine(folder, "from-numpy.safetensors");
        SafetensorsFile.Write(written,
        [
            SafetensorsEntry.FromBytes("u", [3], [1, 2, 3]), SafetensorsEntry.FromFloats("w", [2, 2], [1, 2, 3, -4.5f]),
            SafetensorsEntry.FromInt64("n", [], [1L << 40]), SafetensorsEntry.FromInt32("i", [2], [-1, 8]),
            SafetensorsEntry.FromDoubles("d", [1, 1], [0.125]),
        ], new Dictionary<string, string> { ["note"] = "a b" });

        string output = RunPython(Script, written, fromNumpy);

        Assert.That(output.ReplaceLineEndings("\n").TrimEnd(), Is.EqualTo(
            "meta a b\nd float64 (1, 1) 0.125\ni int32 (2,) 7.0\nn int64 () 1099511627776.0\nu uint8 (3,) 6.0\nw float32 (2, 2) 1.5"));
        var read = SafetensorsFile.Read(fromNumpy);
        Assert.That(read["z"].ToFloats(), Is.EqualTo(new[] { 0, 0.25f, 0.5f, 0.75f, 1, 1.25f }));
        Assert.That(read["z"].Shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(read.Metadata["format"], Is.EqualTo("pt"));
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
