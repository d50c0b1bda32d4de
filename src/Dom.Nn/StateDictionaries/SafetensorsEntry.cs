using System.Runtime.InteropServices;

namespace Dom.Nn.StateDictionaries;

/// <summary>One named tensor of a safetensors file: raw little-endian bytes, last axis innermost.</summary>
/// <param name="Name">Its name, such as <c>layer1.0.conv1.weight</c>.</param>
/// <param name="DType">Element type as the format spells it; see <see cref="SafetensorsDType"/>.</param>
/// <param name="Shape">Extents, outermost first; empty for a scalar.</param>
/// <param name="Data">The elements; product of the shape times the element size bytes.</param>
public sealed record SafetensorsEntry(string Name, string DType, long[] Shape, byte[] Data)
{
    /// <summary>Number of elements: the product of the shape, 1 for a scalar.</summary>
    public long Count => Shape.Aggregate(1L, (product, extent) => product * extent);

    /// <summary>An F32 tensor.</summary>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public static SafetensorsEntry FromFloats(string name, long[] shape, ReadOnlySpan<float> values) =>
        From(SafetensorsDType.F32, name, shape, values);

    /// <summary>An F64 tensor.</summary>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public static SafetensorsEntry FromDoubles(string name, long[] shape, ReadOnlySpan<double> values) =>
        From(SafetensorsDType.F64, name, shape, values);

    /// <summary>An I32 tensor.</summary>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public static SafetensorsEntry FromInt32(string name, long[] shape, ReadOnlySpan<int> values) =>
        From(SafetensorsDType.I32, name, shape, values);

    /// <summary>An I64 tensor.</summary>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public static SafetensorsEntry FromInt64(string name, long[] shape, ReadOnlySpan<long> values) =>
        From(SafetensorsDType.I64, name, shape, values);

    /// <summary>A U8 tensor.</summary>
    /// <exception cref="ArgumentException">The number of values is not the product of the shape.</exception>
    public static SafetensorsEntry FromBytes(string name, long[] shape, ReadOnlySpan<byte> values) =>
        From(SafetensorsDType.U8, name, shape, values);

    /// <summary>The elements of an F32, BF16 or F16 tensor, exactly, or those of an F64 tensor rounded to f32.</summary>
    /// <exception cref="CheckpointException">The tensor is of another type.</exception>
    public float[] ToFloats() => DType switch
    {
        SafetensorsDType.F32 => As<float>(),
        SafetensorsDType.BF16 => Array.ConvertAll(As<ushort>(), bits => BitConverter.UInt32BitsToSingle((uint)bits << 16)),
        SafetensorsDType.F16 => Array.ConvertAll(As<ushort>(), bits => (float)BitConverter.UInt16BitsToHalf(bits)),
        SafetensorsDType.F64 => Array.ConvertAll(As<double>(), value => (float)value),
        _ => throw NotOfType("F32, F64, F16 or BF16"),
    };

    /// <summary>The elements of an F64 tensor, or those of an F32, BF16 or F16 tensor widened.</summary>
    /// <exception cref="CheckpointException">The tensor is of another type.</exception>
    public double[] ToDoubles() =>
        DType == SafetensorsDType.F64 ? As<double>() : Array.ConvertAll(ToFloats(), value => (double)value);

    /// <summary>The elements of an I32 tensor.</summary>
    /// <exception cref="CheckpointException">The tensor is of another type.</exception>
    public int[] ToInt32() => DType == SafetensorsDType.I32 ? As<int>() : throw NotOfType(SafetensorsDType.I32);

    /// <summary>The elements of an I64 tensor.</summary>
    /// <exception cref="CheckpointException">The tensor is of another type.</exception>
    public long[] ToInt64() => DType == SafetensorsDType.I64 ? As<long>() : throw NotOfType(SafetensorsDType.I64);

    /// <summary>The elements of a U8 or BOOL tensor.</summary>
    /// <exception cref="CheckpointException">The tensor is of another type.</exception>
    public byte[] ToBytes() =>
        DType is SafetensorsDType.U8 or SafetensorsDType.Bool ? As<byte>() : throw NotOfType("U8 or BOOL");

    /// <summary>Checks name, type and size before the entry is written.</summary>
    /// <exception cref="ArgumentException">Type, shape and data do not belong together.</exception>
    internal void Validate()
    {
        if (!SafetensorsDType.TryGetSize(DType, out int elementSize))
            throw new ArgumentException($"tensor \"{Name}\": type \"{DType}\" is not one of {SafetensorsDType.KnownNames}.");
        long expected = SafetensorsDType.SizeOf(Shape, elementSize);
        if (expected != Data.Length)
            throw new ArgumentException(
                $"tensor \"{Name}\": {DType} [{string.Join(", ", Shape)}] is {expected} bytes, got {Data.Length}.");
    }

    // The processors that .NET's SIMD paths know are little-endian, as the format is: bytes are copied as they are.
    private static SafetensorsEntry From<T>(string type, string name, long[] shape, ReadOnlySpan<T> values) where T : unmanaged
    {
        var entry = new SafetensorsEntry(name, type, shape, MemoryMarshal.AsBytes(values).ToArray());
        entry.Validate();
        return entry;
    }

    private T[] As<T>() where T : unmanaged => MemoryMarshal.Cast<byte, T>(Data).ToArray();

    private CheckpointException NotOfType(string wanted) =>
        new($"tensor \"{Name}\" holds {DType}, {wanted} was expected; is this the checkpoint of another model?");
}
