using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Dom.Tensors;
using Dom.Train.Reports;

namespace Dom.Train.Tests.Reports;

public sealed class PngEncoderTests
{
    private const string Python = "/usr/bin/python3";

    [TestCase(1, 1, 1)]
    [TestCase(1, 1, 3)]
    [TestCase(7, 5, 1)]
    [TestCase(32, 32, 3)]
    [TestCase(301, 2, 3)]
    public void A_file_read_by_the_rules_of_the_format_holds_the_pixels(int width, int height, int channels)
    {
        byte[] pixels = Noise(width * height * channels);
        var chunks = Chunks(PngEncoder.Encode(pixels, width, height, channels));
        byte[] header = chunks[0].Data;
        using var zlib = new ZLibStream(new MemoryStream(chunks[1].Data), CompressionMode.Decompress);
        using var rows = new MemoryStream();
        zlib.CopyTo(rows);
        byte[] unfiltered = [.. rows.ToArray().Chunk(width * channels + 1).SelectMany(row => row.Skip(1))];
        Assert.Multiple(() =>
        {
            Assert.That(chunks.Select(c => c.Type), Is.EqualTo(new[] { "IHDR", "IDAT", "IEND" }));
            Assert.That(BinaryPrimitives.ReadInt32BigEndian(header), Is.EqualTo(width));
            Assert.That(BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4)), Is.EqualTo(height));
            Assert.That(header[8..], Is.EqualTo(new byte[] { 8, (byte)(channels == 1 ? 0 : 2), 0, 0, 0 }));
            Assert.That(unfiltered, Is.EqualTo(pixels));
        });
    }

    [Test]
    public void The_checksum_of_the_end_chunk_is_the_published_one()
    {
        // Every PNG file ends with these twelve bytes.
        byte[] file = PngEncoder.Encode([0], 1, 1, 1);
        Assert.That(file[^12..], Is.EqualTo(new byte[] { 0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82 }));
    }

    [TestCase(1)]
    [TestCase(3)]
    public void Another_decoder_reads_the_same_pixels(int channels)
    {
        const int width = 33, height = 17;
        byte[] pixels = Noise(width * height * channels);
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, PngEncoder.Encode(pixels, width, height, channels));
            string decoded = RunPython("import sys; from PIL import Image; i = Image.open(sys.argv[1]); i.load(); print(i.format, i.mode, *i.size, i.tobytes().hex())", path);
            string mode = channels == 1 ? "L" : "RGB";
            Assert.That(decoded.Trim(), Is.EqualTo($"PNG {mode} {width} {height} {Convert.ToHexStringLower(pixels)}"));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestCase(0, 4, 1, 0, "at least one row")]
    [TestCase(2, 2, 4, 16, "got 4")]
    [TestCase(2, 2, 3, 11, "12 bytes, got 11")]
    public void A_picture_that_cannot_be_written_is_refused_with_the_reason(int width, int height, int channels, int length, string reason) =>
        Assert.That(() => PngEncoder.Encode(new byte[length], width, height, channels), Throws.ArgumentException.With.Message.Contains(reason));

    private static byte[] Noise(int length)
    {
        var stream = RandomStream.For(11, RandomPurpose.Test);
        return [.. Enumerable.Range(0, length).Select(i => (byte)(256 * stream.Uniform(i)))];
    }

    private static List<(string Type, byte[] Data)> Chunks(byte[] file)
    {
        Assert.That(file[..8], Is.EqualTo(new byte[] { 137, 80, 78, 71, 13, 10, 26, 10 }));
        var chunks = new List<(string, byte[])>();
        for (int at = 8; at < file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            var covered = file.AsSpan(at + 4, length + 4);
            Assert.That(BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + length)), Is.EqualTo(BitwiseCrc(covered)));
            chunks.Add((Encoding.ASCII.GetString(covered[..4]), covered[4..].ToArray()));
            at += 12 + length;
        }
        return chunks;
    }

    // Long division bit by bit, without the table that is tested.
    private static uint BitwiseCrc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            for (int bit = 0; bit < 8; bit++)
                crc = (((crc ^ (uint)(value >> bit)) & 1) * 0xEDB88320) ^ (crc >> 1);
        }
        return ~crc;
    }

    private static string RunPython(string program, string argument)
    {
        if (!File.Exists(Python))
            Assert.Ignore($"{Python} is not installed.");
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", program, argument])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        string output = process.StandardOutput.ReadToEnd(), error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (error.Contains("No module named 'PIL'", StringComparison.Ordinal))
            Assert.Ignore("The Python package PIL is not installed.");
        Assert.That(process.ExitCode, Is.Zero, error);
        return output;
    }
}
