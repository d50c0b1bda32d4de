using System.Collections.Frozen;

namespace Dom.Nn.StateDictionaries;

/// <summary>The element types of the safetensors format, by the names that stand in its files.</summary>
public static class SafetensorsDType
{
    /// <summary>IEEE double, 8 bytes.</summary>
    public const string F64 = "F64";

    /// <summary>IEEE single, 4 bytes.</summary>
    public const string F32 = "F32";

    /// <summary>The upper half of an IEEE single, 2 bytes.</summary>
    public const string BF16 = "BF16";

    /// <summary>IEEE half, 2 bytes.</summary>
    public const string F16 = "F16";

    /// <summary>Signed integer, 8 bytes.</summary>
    public const string I64 = "I64";

    /// <summary>Signed integer, 4 bytes.</summary>
    public const string I32 = "I32";

    /// <summary>Unsigned byte.</summary>
    public const string U8 = "U8";

    /// <summary>0 or 1 in a byte.</summary>
    public const string Bool = "BOOL";

    private static readonly FrozenDictionary<string, int> s_sizes = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        [F64] = 8, [I64] = 8, ["U64"] = 8, ["C64"] = 8,
        [F32] = 4, [I32] = 4, ["U32"] = 4,
        [F16] = 2, [BF16] = 2, ["I16"] = 2, ["U16"] = 2,
        [U8] = 1, ["I8"] = 1, [Bool] = 1, ["F8_E5M2"] = 1, ["F8_E4M3"] = 1, ["F8_E8M0"] = 1,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>All known names, in ordinal order, for messages.</summary>
    internal static string KnownNames => string.Join(", ", s_sizes.Keys.Order(StringComparer.Ordinal));

    /// <summary>Bytes of one element, or false where <paramref name="name"/> is no type of the format.</summary>
    public static bool TryGetSize(string name, out int bytes) => s_sizes.TryGetValue(name, out bytes);

    /// <summary>
    /// Bytes of a tensor, or -1 where the shape has a negative extent or the product does not fit into 63 bits.
    /// </summary>
    internal static long SizeOf(ReadOnlySpan<long> shape, int elementSize)
    {
        // A zero extent makes the tensor empty even where the other extents would overflow before it is met.
        bool isEmpty = false;
        foreach (long extent in shape)
        {
            if (extent < 0)
                return -1;
            isEmpty |= extent == 0;
        }
        if (isEmpty)
            return 0;
        UInt128 bytes = (UInt128)elementSize;
        foreach (long extent in shape)
        {
            bytes *= (UInt128)extent;
            if (bytes > long.MaxValue)
                return -1;
        }
        return (long)bytes;
    }
}
