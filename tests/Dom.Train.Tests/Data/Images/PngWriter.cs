using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Dom.Train.Tests.Data.Images;

/// <summary>
/// Writes PNGs of every kind from samples; row y uses filter y mod 5, so that five rows have them all.
/// </summary>
internal static class PngWriter
{
    public static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    private static readonly (int X, int Y, int Dx, int Dy)[] s_adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>An 8-bit gray or RGB picture.</summary>
    public static byte[] Write(int width, int height, int channels, byte[] pixels) =>
        Write(width, height, 8, channels == 1 ? 0 : 2, channels, [.. pixels.Select(p => (int)p)]);

    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="depth">Bits a sample.</param>
    /// <param name="color">PNG's color type.</param>
    /// <param name="samplesPerPixel">What the color type says.</param>
    /// <param name="samples">[height, width, samplesPerPixel] values below 2^depth.</param>
    /// <param name="interlaced">Adam7 or one pass.</param>
    /// <param name="palette">The bytes of PLTE, or null.</param>
    /// <param name="chunkSize">Data bytes of an IDAT chunk at the most.</param>
    public static byte[] Write(int width, int height, int depth, int color, int samplesPerPixel, int[] samples,
        bool interlaced = false, byte[]? palette = null, int chunkSize = 1000)
    {
        using var rows = new MemoryStream();
        foreach (var (x0, y0, dx, dy) in interlaced ? s_adam7 : [(0, 0, 1, 1)])
            WritePass(rows, width, height, depth, samplesPerPixel, samples, x0, y0, dx, dy);
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            zlib.Write(rows.ToArray());
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)depth, (byte)color, (byte)(interlaced ? 1 : 0));
        List<byte> file = [.. Signature, .. Chunk("IHDR", header), .. Chunk("tEXt", "Title\0drawn"u8.ToArray())];
        if (palette is not null)
            file.AddRange(Chunk("PLTE", palette));
        foreach (byte[] part in compressed.ToArray().Chunk(chunkSize))
            file.AddRange(Chunk("IDAT", part));
        file.AddRange(Chunk("IEND", []));
        return [.. file];
    }

    public static byte[] Chunk(string type, byte[] data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        var chunk = new byte[8 + body.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        body.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(4 + body.Length), Crc(body));
        return chunk;
    }

    // Bit by bit, from the definition.
    private static uint Crc(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
            for (int bit = 0; bit < 8; bit++)
                crc = ((crc ^ (uint)(value >> bit)) & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        return ~crc;
    }

    private static void WritePass(
        MemoryStream rows, int width, int height, int depth, int samplesPerPixel, int[] samples, int x0, int y0, int dx, int dy)
    {
        int distance = Math.Max(1, depth * samplesPerPixel / 8);
        byte[]? above = null;
        for (int y = y0; y < height && x0 < width; y += dy)
        {
            var bits = new List<int>();
            for (int x = x0; x < width; x += dx)
                for (int s = 0; s < samplesPerPixel; s++)
                    for (int bit = depth - 1; bit >= 0; bit--)
                        bits.Add(samples[(y * width + x) * samplesPerPixel + s] >> bit & 1);
            byte[] row = [.. bits.Chunk(8).Select(b => (byte)b.Select((v, i) => v << (7 - i)).Sum())];
            above ??= new byte[row.Length];
            int filter = (y - y0) / dy % 5;
            rows.WriteByte((byte)filter);
            for (int i = 0; i < row.Length; i++)
            {
                int left = i < distance ? 0 : row[i - distance];
                int corner = i < distance ? 0 : above[i - distance];
                rows.WriteByte((byte)(row[i] - Predict(filter, left, above[i], corner)));
            }
            above = row;
        }
    }

    private static int Predict(int filter, int left, int above, int corner) => filter switch
    {
        0 => 0,
        1 => left,
        2 => above,
        3 => (left + above) / 2,
        _ => new[] { left, above, corner }.MinBy(v => Math.Abs(left + above - corner - v)),
    };
}
