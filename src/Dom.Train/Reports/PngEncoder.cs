using System.Buffers.Binary;
using System.IO.Compression;

namespace Dom.Train.Reports;

/// <summary>Writes 8-bit gray and RGB images as PNG files (ISO/IEC 15948), without loss.</summary>
public static class PngEncoder
{
    private const int GrayColorType = 0;
    private const int RgbColorType = 2;

    private static readonly uint[] s_crcTable = CrcTable();

    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>The PNG file of an image.</summary>
    /// <param name="pixels">[H, W, C] bytes, 0..255, channels innermost.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="channels">1 (gray) or 3 (RGB).</param>
    /// <exception cref="ArgumentException">A size below 1, another number of channels, or pixels of another length.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int width, int height, int channels)
    {
        if (width < 1 || height < 1)
            throw new ArgumentException($"PNG: an image needs at least one row and one column, got {width} x {height}.");
        if (channels is not (1 or 3))
            throw new ArgumentException($"PNG: 1 (gray) or 3 (RGB) channels can be written, got {channels}.");
        if (pixels.Length != (long)width * height * channels)
            throw new ArgumentException(
                $"PNG: {width} x {height} pixels of {channels} channels are {(long)width * height * channels} bytes, got {pixels.Length}.");

        using var file = new MemoryStream();
        file.Write(Signature);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = 8; // bits a channel
        header[9] = channels == 1 ? (byte)GrayColorType : (byte)RgbColorType;
        header[10..].Clear(); // deflate, adaptive filters, not interlaced
        WriteChunk(file, "IHDR"u8, header);
        WriteChunk(file, "IDAT"u8, Compress(pixels, width * channels));
        WriteChunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static byte[] Compress(ReadOnlySpan<byte> pixels, int rowLength)
    {
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Optimal))
        {
            for (int start = 0; start < pixels.Length; start += rowLength)
            {
                zlib.WriteByte(0); // filter "none": the pictures are a few kilobytes, a better filter gains nothing
                zlib.Write(pixels.Slice(start, rowLength));
            }
        }
        return compressed.ToArray();
    }

    private static void WriteChunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        file.Write(word);
        file.Write(type);
        file.Write(data);
        // The checksum covers type and data, not the length.
        BinaryPrimitives.WriteUInt32BigEndian(word, ~UpdateCrc(UpdateCrc(uint.MaxValue, type), data));
        file.Write(word);
    }

    private static uint UpdateCrc(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte value in data)
            crc = s_crcTable[(byte)(crc ^ value)] ^ (crc >> 8);
        return crc;
    }

    private static uint[] CrcTable()
    {
        var table = new uint[256];
        for (uint n = 0; n < table.Length; n++)
        {
            uint remainder = n;
            for (int bit = 0; bit < 8; bit++)
                remainder = (remainder & 1) != 0 ? 0xEDB88320 ^ (remainder >> 1) : remainder >> 1;
            table[n] = remainder;
        }
        return table;
    }
}
