using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Dom.Train.Data;

/// <summary>An array of a .npy file, in C order.</summary>
/// <param name="Type">NumPy's name of the element type: "u1", "i4", "i8" or "f4".</param>
/// <param name="Shape">Its sizes; empty for a single number.</param>
/// <param name="Data">The elements, little-endian.</param>
public sealed record NpyArray(string Type, int[] Shape, byte[] Data)
{
    /// <summary>The elements as f32.</summary>
    /// <exception cref="DataException">They are of another type.</exception>
    public float[] ToSingle() => Type == "f4" ? MemoryMarshal.Cast<byte, float>(Data).ToArray() : throw Unlike("f4");

    /// <summary>The elements as 64-bit integers; u1, i4 and i8 convert.</summary>
    /// <exception cref="DataException">They are floating-point numbers.</exception>
    public long[] ToInt64() => Type switch
    {
        "u1" => Array.ConvertAll(Data, value => (long)value),
        "i4" => Array.ConvertAll(MemoryMarshal.Cast<byte, int>(Data).ToArray(), value => (long)value),
        "i8" => MemoryMarshal.Cast<byte, long>(Data).ToArray(),
        _ => throw Unlike("u1, i4 or i8"),
    };

    private DataException Unlike(string wanted) => new($"npy: the array holds {Type}; {wanted} is expected.");
}

/// <summary>NumPy's .npy format, versions 1 to 3: what <c>numpy.save</c> writes and <c>numpy.load</c> reads.</summary>
public static class Npy
{
    private static readonly byte[] s_magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads an array of bytes, i4, i8 or f4 in C order, little-endian.</summary>
    /// <exception cref="DataException">The file is missing, damaged, of the wrong size, or holds another type or
    /// Fortran order.</exception>
    public static NpyArray Read(string path)
    {
        const string what = "a .npy array";
        byte[] bytes = DataFile.ReadRaw(path, what);
        if (bytes.Length < 10 || !bytes.AsSpan(0, 6).SequenceEqual(s_magic))
            throw new DataException($"{path}: does not begin with the bytes 93 'NUMPY'; expected {what}. "
                + "Write it with numpy.save.");
        int version = bytes[6];
        if (version is < 1 or > 3)
            throw new DataException($"{path}: .npy version {version}.{bytes[7]}; versions 1 to 3 can be read.");
        int headerStart = version == 1 ? 10 : 12;
        long headerLength = version == 1 ? bytes[8] | bytes[9] << 8 : bytes.Length < 12 ? long.MaxValue : BitConverter.ToUInt32(bytes, 8);
        if (headerLength > bytes.Length - headerStart)
            throw new DataException($"{path}: the file ends inside its header (truncated). Write it again with numpy.save.");
        string header = (version == 3 ? Encoding.UTF8 : Encoding.Latin1).GetString(bytes, headerStart, (int)headerLength);
        var (type, shape) = NpyHeader.Parse(header, path);

        long count = shape.Aggregate(1L, (product, size) => size == 0 ? 0 : product > Array.MaxLength ? product : product * size);
        long expected = headerStart + headerLength + count * (type[1] - '0');
        if (bytes.Length != expected)
            throw new DataException($"{path}: the header says {type} [{string.Join(", ", shape)}]: "
                + $"{DataFile.Compare(expected, bytes.Length)}. Write it again with numpy.save.");
        return new NpyArray(type, shape, bytes[(headerStart + (int)headerLength)..]);
    }

    /// <summary>Writes an array in C order, version 1, so that a reader sees the old file or the whole new one.</summary>
    /// <typeparam name="T"><see cref="byte"/>, <see cref="int"/>, <see cref="long"/> or <see cref="float"/>.</typeparam>
    /// <exception cref="ArgumentException">The shape does not hold as many elements as there are values, or T is
    /// another type.</exception>
    /// <exception cref="DataException">The file cannot be written.</exception>
    public static void Write<T>(string path, T[] values, params int[] shape) where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(shape);
        string type = default(T) switch
        {
            byte => "|u1",
            int => "<i4",
            long => "<i8",
            float => "<f4",
            _ => throw new ArgumentException($"npy: {typeof(T).Name} cannot be written; byte, int, "
                + "long and float can.", nameof(values)),
        };
        if (shape.Aggregate(1L, (product, size) => product * size) != values.Length)
            throw new ArgumentException($"npy: [{string.Join(", ", shape)}] does not hold {values.Length} "
                + "values.", nameof(shape));
        string sizes = string.Join(", ", shape.Select(size => size.ToString(CultureInfo.InvariantCulture)));
        string header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({sizes}{(shape.Length == 1 ? "," : "")}), }}";
        int padded = (10 + header.Length + 1 + 63) / 64 * 64 - 10;
        header = header.PadRight(padded - 1) + "\n";
        DataFile.Write(path, stream =>
        {
            stream.Write([.. s_magic, 1, 0, (byte)padded, (byte)(padded >> 8)]);
            stream.Write(Encoding.Latin1.GetBytes(header));
            stream.Write(MemoryMarshal.AsBytes<T>(values));
        });
    }
}
