namespace Dom.Train.Data.Mat;

/// <summary>The data types of elements in MAT-files of level 5, by the numbers in their tags.</summary>
internal enum MatType
{
    Int8 = 1,
    UInt8 = 2,
    Int16 = 3,
    UInt16 = 4,
    Int32 = 5,
    UInt32 = 6,
    Single = 7,
    Double = 9,
    Int64 = 12,
    UInt64 = 13,
    Matrix = 14,
    Compressed = 15,
}

/// <summary>What is known of a <see cref="MatType"/>.</summary>
internal static class MatTypes
{
    /// <summary>Bytes of a number, or null where the type holds none.</summary>
    public static int? SizeOf(MatType type) => type switch
    {
        MatType.Int8 or MatType.UInt8 => 1,
        MatType.Int16 or MatType.UInt16 => 2,
        MatType.Int32 or MatType.UInt32 or MatType.Single => 4,
        MatType.Double or MatType.Int64 or MatType.UInt64 => 8,
        _ => null,
    };
}
