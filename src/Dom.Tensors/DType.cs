namespace Dom.Tensors;

/// <summary>How an element is stored. Arithmetic is done in f32 by the fast backends and in f64 by the reference.</summary>
public enum DType : short
{
    /// <summary>IEEE 754 single precision, 4 bytes.</summary>
    F32 = 0,

    /// <summary>bfloat16: the upper half of an f32, 2 bytes.</summary>
    BF16 = 1,

    /// <summary>IEEE 754 double precision, 8 bytes. Only the reference backend computes with it: gradients are checked there.</summary>
    F64 = 2,

    /// <summary>Signed 32-bit integer: labels, sample ids, row numbers.</summary>
    I32 = 3,

    /// <summary>Byte: pixels of a data set.</summary>
    U8 = 4,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not a known type.</exception>
    public static int Size(this DType type) => type switch
    {
        DType.F32 or DType.I32 => 4,
        DType.BF16 => 2,
        DType.F64 => 8,
        DType.U8 => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an element type."),
    };

    /// <summary>Whether the type holds real numbers.</summary>
    public static bool IsFloat(this DType type) => type is DType.F32 or DType.BF16 or DType.F64;

    /// <summary>The type of statistics, losses and reductions over elements of <paramref name="type"/>: f32, or f64 for f64.</summary>
    public static DType Accumulator(this DType type) => type == DType.F64 ? DType.F64 : DType.F32;
}
