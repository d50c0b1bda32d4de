using System.IO.Compression;
using System.Text;

namespace Dom.Train.Data.Mat;

/// <summary>
/// Reads numeric arrays from MAT-files of level 5 (MATLAB's <c>-v6</c> and <c>-v7</c>): either byte order, plain or zlib-compressed variables, small
/// elements. Not read: level 4, and version 7.3, which is HDF5.
/// </summary>
/// <remarks>After the public description, <em>MAT-File Format</em> (The MathWorks).</remarks>
internal static class MatFile
{
    private const int HeaderSize = 128, TextSize = 116, VersionAt = 124, EndianAt = 126;

    // Deflate cannot make data smaller than this.
    private const int MostCompression = 1032;

    private const uint ComplexFlag = 0x0800;

    private static readonly string[] s_classes =
        ["", "cell", "struct", "object", "char", "sparse", "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"];

    /// <summary>The variables of the given names; what else is in the file is passed over.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What it should be, for messages.</param>
    /// <param name="names">Names of the variables, all of which must be there.</param>
    /// <exception cref="DataException">The file is missing, no MAT-file of level 5, damaged, lacks a variable, or one is not an array of real numbers.</exception>
    public static IReadOnlyList<MatArray> Read(string path, string what, params IReadOnlyList<string> names)
    {
        byte[] file = DataFile.ReadRaw(path, what);
        var found = new Dictionary<string, MatArray>();
        try
        {
            bool isBigEndian = ReadHeader(file);
            using var stream = new MemoryStream(file, HeaderSize, file.Length - HeaderSize, writable: false);
            var elements = new MatElements(stream, isBigEndian, stream.Length);
            while (found.Count < names.Count && elements.NextTag() is { } tag)
            {
                int start = HeaderSize + (int)stream.Position;
                if (tag.Packed is not null)
                    throw new InvalidDataException("a small element stands where a variable should be; the file is damaged");
                if (tag.Type == MatType.Compressed)
                    Add(ReadCompressed(file, start, (int)tag.Size, isBigEndian, names));
                else if (tag.Type == MatType.Matrix)
                    Add(ReadPlain(file, start, (int)tag.Size, isBigEndian, names));
                elements.Skip(tag);
            }
        }
        catch (Exception error) when (error is InvalidDataException or IOException) // damaged zlib data end in either
        {
            throw new DataException($"{path}: {error.Message.TrimEnd('.')}; expected {what}.", error);
        }
        return [.. names.Select(name => found.GetValueOrDefault(name)
            ?? throw new DataException($"{path}: there is no variable '{name}' in the file; expected {what}."))];

        void Add(MatArray? array)
        {
            if (array is not null)
                found[array.Name] = array;
        }
    }

    /// <summary>Whether the byte order is big-endian.</summary>
    private static bool ReadHeader(byte[] file)
    {
        if (file.AsSpan().StartsWith("MATLAB 7.3"u8) || (file.Length > 4 && file.AsSpan(1, 3).SequenceEqual("HDF"u8)))
            throw new InvalidDataException("this is a MAT-file of version 7.3 (HDF5), which is not read; save it again with -v7");
        if (file.Length < HeaderSize)
            throw new InvalidDataException($"{file.Length} bytes are too few for the {HeaderSize}-byte header of a MAT-file");
        string mark = Encoding.Latin1.GetString(file, EndianAt, 2);
        if (mark is not ("IM" or "MI"))
        {
            // Level 4 has no header, and one of its first four bytes is always zero.
            throw new InvalidDataException(file.AsSpan(0, 4).Contains((byte)0)
                ? "this is not a MAT-file of level 5 but perhaps one of level 4, which is not read; save it again with -v7"
                : $"this is not a MAT-file of level 5: its bytes {EndianAt} and {EndianAt + 1} are {Convert.ToHexString(file, EndianAt, 2)} instead of IM or MI");
        }
        bool isBigEndian = mark == "MI";
        int version = isBigEndian ? file[VersionAt] << 8 | file[VersionAt + 1] : file[VersionAt + 1] << 8 | file[VersionAt];
        return version == 0x0100 ? isBigEndian : throw new InvalidDataException(
            $"the header names the version 0x{version:x4}; 0x0100 is read ('{Encoding.Latin1.GetString(file, 0, TextSize).TrimEnd('\0', ' ')}')");
    }

    private static MatArray? ReadPlain(byte[] file, int start, int size, bool isBigEndian, IReadOnlyList<string> names)
    {
        using var content = new MemoryStream(file, start, size, writable: false);
        return ReadMatrix(new MatElements(content, isBigEndian, size), isBigEndian, names);
    }

    private static MatArray? ReadCompressed(byte[] file, int start, int size, bool isBigEndian, IReadOnlyList<string> names)
    {
        using var packed = new MemoryStream(file, start, size, writable: false);
        using var content = new ZLibStream(packed, CompressionMode.Decompress);
        long limit = (long)size * MostCompression;
        var outer = new MatElements(content, isBigEndian, limit).RequireTag("a compressed variable");
        if (outer.Type != MatType.Matrix || outer.Packed is not null)
            throw new InvalidDataException($"a compressed element holds an element of type {(int)outer.Type}; a variable (type {(int)MatType.Matrix}) is expected");
        var array = ReadMatrix(new MatElements(content, isBigEndian, outer.Size), isBigEndian, names);
        if (array is not null)
        {
            // The check sum is behind the last byte.
            Span<byte> rest = stackalloc byte[64];
            while (content.Read(rest) > 0)
            {
            }
        }
        return array;
    }

    /// <summary>A variable from the elements of its matrix; null where it is not among the names.</summary>
    private static MatArray? ReadMatrix(MatElements elements, bool isBigEndian, IReadOnlyList<string> names)
    {
        byte[] flags = Part(elements, "the flags of a variable", MatType.UInt32, least: 8);
        byte[] sizes = Part(elements, "the dimensions of a variable", MatType.Int32, least: 8);
        string name = Encoding.Latin1.GetString(Part(elements, "the name of a variable", MatType.Int8, least: 0));
        if (!names.Contains(name))
            return null;
        uint word = elements.UInt32(flags);
        int kind = (int)(word & 0xff);
        if (kind is < 6 or > 15)
            throw new InvalidDataException($"'{name}' is a {s_classes.ElementAtOrDefault(kind) ?? $"variable of the unknown class {kind}"}; an array of numbers is expected");
        if ((word & ComplexFlag) != 0)
            throw new InvalidDataException($"'{name}' is complex; real numbers are expected");

        var dimensions = new int[sizes.Length / 4];
        long count = 1;
        for (int i = 0; i < dimensions.Length; i++)
        {
            dimensions[i] = (int)elements.UInt32(sizes.AsSpan(4 * i));
            if (dimensions[i] < 0 || (count *= dimensions[i]) > Array.MaxLength)
                throw new InvalidDataException($"the dimensions of '{name}' cannot be right: {string.Join(" x ", dimensions[..(i + 1)])}");
        }
        var tag = elements.RequireTag($"the numbers of '{name}'");
        if (MatTypes.SizeOf(tag.Type) is not { } size)
            throw new InvalidDataException($"the numbers of '{name}' are of the type {(int)tag.Type}, which is none for numbers");
        if (tag.Size != count * size)
            throw new InvalidDataException($"'{name}' is {string.Join(" x ", dimensions)}, that is {count * size:N0} bytes, but has {tag.Size:N0}");
        return new MatArray(name, dimensions, tag.Type, elements.Data(tag), isBigEndian);
    }

    private static byte[] Part(MatElements elements, string what, MatType type, int least)
    {
        var tag = elements.RequireTag(what);
        if (tag.Type != type || tag.Size < least || (least > 0 && tag.Size % 4 != 0) || tag.Size > 4096)
            throw new InvalidDataException($"where {what} should be is an element of type {(int)tag.Type} with {tag.Size:N0} bytes; the file is damaged");
        return elements.Data(tag);
    }
}
