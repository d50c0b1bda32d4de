using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Dom.Train.Tests.Data.Mat;

/// <summary>Writes MAT-files of level 5 as the public description of the format has them; knows nothing of the reader.</summary>
internal sealed class MatWriter(bool bigEndian = false, bool compressed = false)
{
    private readonly List<byte> _file = [.. Header(bigEndian)];

    /// <summary>Class and storage type by their numbers: uint8 is 9 and 2, double is 6 and 9, int32 is 12 and 5, uint16 is 11 and 4.</summary>
    public MatWriter Add(string name, int[] dimensions, byte[] data, int kind = 9, int type = 2, uint flags = 0)
    {
        byte[] content =
        [
            .. Element(6, [.. Word((uint)kind | flags), .. Word(0)]),
            .. Element(5, [.. dimensions.SelectMany(size => Word((uint)size))]),
            .. Element(1, Encoding.ASCII.GetBytes(name)),
            .. Element(type, data),
        ];
        byte[] matrix = [.. Word(14), .. Word((uint)content.Length), .. content];
        _file.AddRange(compressed ? [.. Word(15), .. Word((uint)Zlib(matrix).Length), .. Zlib(matrix)] : matrix);
        return this;
    }

    public byte[] ToArray() => [.. _file];

    public static byte[] Doubles(bool bigEndian, params double[] values) => [.. values.SelectMany(value =>
    {
        var bytes = new byte[8];
        if (bigEndian)
            BinaryPrimitives.WriteDoubleBigEndian(bytes, value);
        else
            BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
        return bytes;
    })];

    private static byte[] Header(bool bigEndian)
    {
        byte[] header = [.. Encoding.ASCII.GetBytes("MATLAB 5.0 MAT-file, written by a test".PadRight(116)), .. new byte[12]];
        (bigEndian ? new byte[] { 1, 0, (byte)'M', (byte)'I' } : [0, 1, (byte)'I', (byte)'M']).CopyTo(header, 124);
        return header;
    }

    private byte[] Element(int type, byte[] data)
    {
        if (data.Length is > 0 and <= 4)
            return [.. Word((uint)(data.Length << 16 | type)), .. data, .. new byte[4 - data.Length]];
        return [.. Word((uint)type), .. Word((uint)data.Length), .. data, .. new byte[-data.Length & 7]];
    }

    private byte[] Word(uint value)
    {
        var bytes = new byte[4];
        if (bigEndian)
            BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        else
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Zlib(byte[] data)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            zip.Write(data);
        return packed.ToArray();
    }
}
