namespace Dom.Tensors;

/// <summary>bfloat16: sign, 8 exponent bits, 7 fraction bits; the upper 16 bits of an f32.</summary>
/// <param name="Bits">The stored bits.</param>
public readonly record struct BFloat16(ushort Bits)
{
    /// <summary>The nearest bfloat16, ties to even. A NaN stays a NaN (quiet), infinities stay, overflow goes to infinity.</summary>
    public static BFloat16 FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value))
            return new BFloat16((ushort)((bits >> 16) | 0x40));
        uint roundToEven = 0x7FFF + ((bits >> 16) & 1);
        return new BFloat16((ushort)((bits + roundToEven) >> 16));
    }

    /// <summary>The value as f32, exactly.</summary>
    public float ToSingle() => BitConverter.UInt32BitsToSingle((uint)Bits << 16);

    /// <inheritdoc/>
    public override string ToString() => ToSingle().ToString();
}
