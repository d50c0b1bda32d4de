namespace Dom.Train.Data.Images;

/// <summary>One color component of a JPEG: its sampling, its tables and its coefficients.</summary>
internal sealed class JpegComponent
{
    /// <summary>The identifier by which scans name the component.</summary>
    public required int Id { get; init; }

    /// <summary>Blocks across in a unit of an interleaved scan, 1..4.</summary>
    public required int Horizontal { get; init; }

    /// <summary>Blocks down in a unit of an interleaved scan, 1..4.</summary>
    public required int Vertical { get; init; }

    /// <summary>Which quantization table the component uses, 0..3.</summary>
    public required int QuantizationIndex { get; init; }

    /// <summary>Samples across, without the padding of the last block.</summary>
    public int Width { get; set; }

    /// <summary>Samples down, without the padding of the last block.</summary>
    public int Height { get; set; }

    /// <summary>Blocks across that hold samples of the picture.</summary>
    public int BlocksAcross => (Width + 7) / 8;

    /// <summary>Blocks down that hold samples of the picture.</summary>
    public int BlocksDown => (Height + 7) / 8;

    /// <summary>Blocks across that are stored: interleaved scans fill up the last unit.</summary>
    public int StoredAcross { get; set; }

    /// <summary>
    /// [blocks down, StoredAcross, 64] coefficients in natural order, not yet multiplied with the quantization table.
    /// </summary>
    public short[] Coefficients { get; set; } = [];

    /// <summary>The table as it was when the component's first scan came, in natural order; null before it.</summary>
    public ushort[]? Quantization { get; set; }

    /// <summary>The last DC value of the running scan.</summary>
    public int Predictor { get; set; }

    /// <summary>The block at column <paramref name="x"/> and row <paramref name="y"/>.</summary>
    public Span<short> Block(int x, int y) => Coefficients.AsSpan((y * StoredAcross + x) * 64, 64);
}

/// <summary>The frame header (SOF) of a JPEG: size, coding process, components.</summary>
internal sealed class JpegFrame
{
    public int Width { get; }
    public int Height { get; }
    public bool IsProgressive { get; }
    public JpegComponent[] Components { get; }

    /// <summary>Units of an interleaved scan across the picture.</summary>
    public int UnitsAcross { get; }

    /// <summary>Units of an interleaved scan down the picture.</summary>
    public int UnitsDown { get; }

    public int MaximumHorizontal { get; }
    public int MaximumVertical { get; }

    /// <summary>Reads the header and makes room for the coefficients.</summary>
    /// <param name="segment">The SOF segment without its length.</param>
    /// <param name="isProgressive">Whether the marker was SOF2.</param>
    /// <param name="fileLength">Bytes of the whole file; a picture that they cannot hold is refused before any room
    /// is made.</param>
    public JpegFrame(ReadOnlySpan<byte> segment, bool isProgressive, int fileLength)
    {
        if (segment.Length < 6 || segment.Length != 6 + 3 * segment[5])
            throw new InvalidDataException(
                $"it is corrupt: its frame header has a wrong length of {segment.Length} bytes");
        if (segment[0] != 8)
            throw new NotSupportedException($"its samples have {segment[0]} bits, 8 are supported");
        IsProgressive = isProgressive;
        Height = segment[1] << 8 | segment[2];
        Width = segment[3] << 8 | segment[4];
        ImageDecoder.CheckSize(Width, Height);
        if (segment[5] is not (1 or 3))
            throw new NotSupportedException(
                $"it has {segment[5]} color components{(segment[5] == 4 ? " (CMYK)" : "")}, " +
                "1 (gray) and 3 (YCbCr or RGB) are supported");
        Components = new JpegComponent[segment[5]];
        for (int i = 0; i < Components.Length; i++)
            Components[i] = ReadComponent(segment.Slice(6 + 3 * i, 3));
        MaximumHorizontal = Components.Max(c => c.Horizontal);
        MaximumVertical = Components.Max(c => c.Vertical);
        UnitsAcross = DivideUp(Width, 8 * MaximumHorizontal);
        UnitsDown = DivideUp(Height, 8 * MaximumVertical);
        AllocateCoefficients(fileLength);
    }

    private static JpegComponent ReadComponent(ReadOnlySpan<byte> bytes)
    {
        var component = new JpegComponent
        {
            Id = bytes[0],
            Horizontal = bytes[1] >> 4,
            Vertical = bytes[1] & 15,
            QuantizationIndex = bytes[2],
        };
        if (component.Horizontal is < 1 or > 4 || component.Vertical is < 1 or > 4 || component.QuantizationIndex > 3)
            throw new InvalidDataException($"it is corrupt: component {component.Id} has sampling " +
                $"{component.Horizontal} x {component.Vertical} (1 to 4) " +
                $"and quantization table {component.QuantizationIndex} (0 to 3)");
        return component;
    }

    private void AllocateCoefficients(int fileLength)
    {
        long blocks = 0;
        foreach (var component in Components)
        {
            component.Width = DivideUp(Width * component.Horizontal, MaximumHorizontal);
            component.Height = DivideUp(Height * component.Vertical, MaximumVertical);
            blocks += (long)component.BlocksAcross * component.BlocksDown;
        }
        // Each block costs one bit or more, its DC code.
        if (blocks > 8L * fileLength)
            throw new InvalidDataException(
                $"it is truncated or corrupt: {fileLength} bytes cannot hold {Width} x {Height} pixels");
        foreach (var component in Components)
        {
            component.StoredAcross = UnitsAcross * component.Horizontal;
            component.Coefficients = new short[component.StoredAcross * UnitsDown * component.Vertical * 64];
        }
    }

    private static int DivideUp(int value, int divisor) => (value + divisor - 1) / divisor;
}
