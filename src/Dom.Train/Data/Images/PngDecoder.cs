using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Dom.Train.Data.Images;

/// <summary>
/// Reads a PNG (ISO 15948): every color type and depth, interlaced or not; ancillary chunks are passed over.
/// </summary>
/// <remarks>Throws <see cref="InvalidDataException"/> with what is wrong; the caller adds the file's name.</remarks>
internal static class PngDecoder
{
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    // x0, y0, dx, dy of the seven passes of Adam7.
    private static readonly int[][] s_adam7 =
        [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
    private static readonly int[][] s_onePass = [[0, 0, 1, 1]];

    public static DecodedImage Decode(ReadOnlySpan<byte> file)
    {
        PngHeader? header = null;
        byte[] palette = [];
        using var compressed = new MemoryStream();
        int position = Signature.Length;
        while (true)
        {
            var data = ReadChunk(file, ref position, out string type);
            if (header is null && type != "IHDR")
                throw new InvalidDataException($"its first chunk must be IHDR, it is {type}");
            switch (type)
            {
                case "IHDR" when header is not null:
                    throw new InvalidDataException("it has two IHDR chunks");
                case "IHDR":
                    header = PngHeader.Parse(data);
                    break;
                case "PLTE":
                    if (data.IsEmpty || data.Length % 3 != 0 || data.Length > 768)
                        throw new InvalidDataException(
                            $"a palette holds 3 to 768 bytes, three a color; this one holds {data.Length}");
                    palette = data.ToArray();
                    break;
                case "IDAT":
                    compressed.Write(data);
                    break;
                case "IEND":
                    compressed.Position = 0;
                    return Decode(header!.Value, palette, compressed);
                default:
                    // An upper-case first letter says that the picture cannot be understood without the chunk.
                    if (char.IsAsciiLetterUpper(type[0]))
                        throw new InvalidDataException($"it needs the chunk {type}, which PNG does not define");
                    break;
            }
        }
    }

    private static ReadOnlySpan<byte> ReadChunk(ReadOnlySpan<byte> file, ref int position, out string type)
    {
        var rest = file[position..];
        if (rest.Length < 12)
            throw new InvalidDataException($"it is truncated: after {file.Length} bytes no IEND chunk has come");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        type = ChunkType(rest.Slice(4, 4));
        if (length > rest.Length - 12)
            throw new InvalidDataException(
                $"it is truncated: chunk {type} at byte {position} should hold {length} bytes, " +
                $"{rest.Length - 12} are left in the file");
        uint stored = BinaryPrimitives.ReadUInt32BigEndian(rest[(8 + (int)length)..]);
        uint computed = PngCrc.Compute(rest.Slice(4, 4 + (int)length));
        if (stored != computed)
            throw new InvalidDataException(
                $"it is corrupt: chunk {type} at byte {position} says its CRC is {stored:X8}, " +
                $"its bytes give {computed:X8}");
        position += 12 + (int)length;
        return rest.Slice(8, (int)length);
    }

    private static string ChunkType(ReadOnlySpan<byte> bytes)
    {
        foreach (byte letter in bytes)
            if (!char.IsAsciiLetter((char)letter))
                throw new InvalidDataException(
                    $"it is corrupt: {Convert.ToHexString(bytes)} stands where a chunk's four letters should");
        return Encoding.ASCII.GetString(bytes);
    }

    private static DecodedImage Decode(in PngHeader header, byte[] palette, MemoryStream compressed)
    {
        if (header.Color == PngColor.Palette && palette.Length == 0)
            throw new InvalidDataException("its pixels are palette indices, but it has no PLTE chunk");
        // Deflate cannot compress more than 1032 : 1. Looking first keeps a broken header from asking for a gigabyte.
        long expected = (long)header.Height * header.RowBytes(header.Width);
        if (expected / 1032 > compressed.Length)
            throw new InvalidDataException($"it is truncated: {compressed.Length} bytes of data cannot hold " +
                $"{header.Width} x {header.Height} pixels");
        var pixels = new byte[header.Height * header.Width * header.Channels];
        using var stream = new ZLibStream(compressed, CompressionMode.Decompress);
        foreach (int[] pass in header.Interlaced ? s_adam7 : s_onePass)
            ReadPass(header, palette, stream, pass, pixels);
        return new DecodedImage(header.Width, header.Height, header.Channels, pixels);
    }

    private static void ReadPass(in PngHeader header, byte[] palette, ZLibStream stream, int[] pass, byte[] pixels)
    {
        int x0 = pass[0], y0 = pass[1], dx = pass[2], dy = pass[3];
        int width = (header.Width - x0 + dx - 1) / dx;
        int height = (header.Height - y0 + dy - 1) / dy;
        if (width <= 0 || height <= 0)
            return;
        int rowBytes = header.RowBytes(width);
        int channels = header.Channels;
        var above = new byte[1 + rowBytes];     // [0] is the filter byte
        var row = new byte[1 + rowBytes];
        var line = new byte[width * channels];
        for (int i = 0; i < height; i++)
        {
            if (ReadRow(stream, row) < row.Length)
                throw new InvalidDataException(
                    $"it is truncated: its data ends before {header.Width} x {header.Height} pixels");
            PngFilter.Undo(row[0], row.AsSpan(1), above.AsSpan(1), header.FilterDistance);
            PngRow.Expand(header, palette, row.AsSpan(1), line);
            var target = pixels.AsSpan((y0 + i * dy) * header.Width * channels);
            if (dx == 1)
                line.CopyTo(target);
            else
                for (int x = 0; x < width; x++)
                    line.AsSpan(x * channels, channels).CopyTo(target[((x0 + x * dx) * channels)..]);
            (above, row) = (row, above);
        }
    }

    private static int ReadRow(ZLibStream stream, byte[] row)
    {
        try
        {
            return stream.ReadAtLeast(row, row.Length, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new InvalidDataException("its compressed data is corrupt", e);
        }
    }
}
