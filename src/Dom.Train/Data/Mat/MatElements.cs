using System.Buffers.Binary;

namespace Dom.Train.Data.Mat;

/// <summary>The tag of an element.</summary>
/// <param name="Type">Type of its data; any number that a damaged file may hold.</param>
/// <param name="Size">Bytes of its data, without padding.</param>
/// <param name="Packed">The data of a small element, which lie in the tag; null where they follow it.</param>
internal readonly record struct MatTag(MatType Type, long Size, byte[]? Packed);

/// <summary>Reads elements one after the other: a tag of 8 bytes, then data padded to 8 bytes.</summary>
/// <param name="stream">Where they are.</param>
/// <param name="isBigEndian">Byte order of the file.</param>
/// <param name="limit">Bytes that the elements can have at most: an honest size is never larger.</param>
internal sealed class MatElements(Stream stream, bool isBigEndian, long limit)
{
    private long _left = limit;

    /// <summary>The next tag, or null at the end.</summary>
    /// <exception cref="InvalidDataException">The tag is cut off, or names more data than there can be.</exception>
    public MatTag? NextTag()
    {
        Span<byte> bytes = stackalloc byte[8];
        int read = stream.ReadAtLeast(bytes, 8, throwOnEndOfStream: false);
        if (read == 0)
            return null;
        if (read < 8)
            throw new InvalidDataException("the file ends inside the tag of an element");
        _left -= 8;
        uint first = UInt32(bytes);
        // A small element has its size in the upper half of the word, where a plain one has zeros.
        if (first >> 16 is > 0 and var small)
        {
            return small <= 4
                ? new MatTag((MatType)(first & 0xffff), small, bytes.Slice(4, (int)small).ToArray())
                : throw new InvalidDataException($"a small element names {small} bytes of data; 1 to 4 fit into its tag");
        }
        uint size = UInt32(bytes[4..]);
        return size <= _left
            ? new MatTag((MatType)first, size, null)
            : throw new InvalidDataException($"an element names {size:N0} bytes of data, more than the {Math.Max(0, _left):N0} that can follow; the file is damaged or cut off");
    }

    /// <summary>The next tag, which must be there.</summary>
    /// <param name="what">What it should be of, for messages.</param>
    /// <exception cref="InvalidDataException">The elements end, or the tag is damaged.</exception>
    public MatTag RequireTag(string what) => NextTag() ?? throw new InvalidDataException($"the file ends where {what} should be");

    /// <summary>The data of the element whose tag was read last.</summary>
    /// <exception cref="InvalidDataException">They are cut off.</exception>
    public byte[] Data(MatTag tag)
    {
        if (tag.Packed is { } packed)
            return packed;
        if (tag.Size > Array.MaxLength)
            throw new InvalidDataException($"an element has {tag.Size:N0} bytes of data; {Array.MaxLength:N0} can be read");
        var data = new byte[tag.Size];
        Require(stream.ReadAtLeast(data, data.Length, throwOnEndOfStream: false), data.Length);
        Span<byte> padding = stackalloc byte[7];
        int padded = (int)(-tag.Size & 7);
        // The last element of a file may lack its padding.
        _left -= tag.Size + stream.ReadAtLeast(padding[..padded], padded, throwOnEndOfStream: false);
        return data;
    }

    /// <summary>Passes over the data of the element whose tag was read last.</summary>
    public void Skip(MatTag tag)
    {
        if (tag.Packed is null && stream.CanSeek)
        {
            stream.Seek(tag.Size, SeekOrigin.Current);
            _left -= tag.Size;
        }
    }

    /// <summary>A word of 32 bits in the file's byte order.</summary>
    public uint UInt32(ReadOnlySpan<byte> bytes) =>
        isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static void Require(int read, int expected)
    {
        if (read < expected)
            throw new InvalidDataException($"the data of an element end after {read:N0} of {expected:N0} bytes");
    }
}
