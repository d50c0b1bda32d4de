using System.Buffers.Binary;

namespace Dom.Train.Data.Mat;

/// <summary>A numeric array of a MAT-file, column-major: the first index runs fastest.</summary>
/// <param name="name">Name of the variable.</param>
/// <param name="dimensions">Sizes, at least two.</param>
/// <param name="type">How the numbers are stored, which may be narrower than MATLAB's class of the variable: whole doubles are stored as bytes where they fit.</param>
/// <param name="data">The numbers as they are in the file.</param>
/// <param name="isBigEndian">Their byte order.</param>
internal sealed class MatArray(string name, IReadOnlyList<int> dimensions, MatType type, byte[] data, bool isBigEndian)
{
    private readonly int _size = MatTypes.SizeOf(type)!.Value;

    /// <summary>Name of the variable.</summary>
    public string Name => name;

    /// <summary>Sizes, at least two.</summary>
    public IReadOnlyList<int> Dimensions => dimensions;

    /// <summary>Number of elements.</summary>
    public int Count => data.Length / _size;

    /// <summary>"[32, 32, 3, 26032]".</summary>
    public string Shape => $"[{string.Join(", ", dimensions)}]";

    /// <summary>The numbers as bytes.</summary>
    /// <exception cref="InvalidDataException">A number is not whole or not in 0..255.</exception>
    public byte[] ToBytes() => type == MatType.UInt8 ? data : Convert(0, 255, number => (byte)number);

    /// <summary>The numbers as whole ones.</summary>
    /// <exception cref="InvalidDataException">A number is not whole, or too large.</exception>
    public int[] ToInts() => Convert(int.MinValue, int.MaxValue, number => (int)number);

    private T[] Convert<T>(double least, double most, Func<double, T> convert)
    {
        var numbers = new T[Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            double number = At(i);
            if (!(number >= least && number <= most) || number != Math.Truncate(number))
                throw new InvalidDataException($"element {i:N0} of '{name}' is {number}; whole numbers from {least:0} to {most:0} are expected");
            numbers[i] = convert(number);
        }
        return numbers;
    }

    private double At(int i)
    {
        var bytes = data.AsSpan(i * _size, _size);
        return (type, isBigEndian) switch
        {
            (MatType.Int8, _) => (sbyte)bytes[0],
            (MatType.UInt8, _) => bytes[0],
            (MatType.Int16, false) => BinaryPrimitives.ReadInt16LittleEndian(bytes),
            (MatType.Int16, true) => BinaryPrimitives.ReadInt16BigEndian(bytes),
            (MatType.UInt16, false) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            (MatType.UInt16, true) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
            (MatType.Int32, false) => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            (MatType.Int32, true) => BinaryPrimitives.ReadInt32BigEndian(bytes),
            (MatType.UInt32, false) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            (MatType.UInt32, true) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
            (MatType.Single, false) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
            (MatType.Single, true) => BinaryPrimitives.ReadSingleBigEndian(bytes),
            (MatType.Double, false) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            (MatType.Double, true) => BinaryPrimitives.ReadDoubleBigEndian(bytes),
            (MatType.Int64, false) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            (MatType.Int64, true) => BinaryPrimitives.ReadInt64BigEndian(bytes),
            (_, false) => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            (_, true) => BinaryPrimitives.ReadUInt64BigEndian(bytes),
        };
    }
}
