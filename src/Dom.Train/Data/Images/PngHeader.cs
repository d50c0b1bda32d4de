using System.Buffers.Binary;

namespace Dom.Train.Data.Images;

/// <summary>What a pixel of a PNG consists of; the numbers are those of the file.</summary>
internal enum PngColor
{
    Gray = 0,
    Rgb = 2,
    Palette = 3,
    GrayAlpha = 4,
    Rgba = 6,
}

/// <summary>The IHDR chunk of a PNG: size, kind of pixel, interlacing.</summary>
internal readonly record struct PngHeader(int Width, int Height, int BitDepth, PngColor Color, bool Interlaced)
{
    /// <summary>Samples of one pixel in the file, alpha included; a palette index is one sample.</summary>
    public int SamplesPerPixel => Color switch
    {
        PngColor.GrayAlpha => 2,
        PngColor.Rgb => 3,
        PngColor.Rgba => 4,
        _ => 1,
    };

    /// <summary>Channels of the decoded image: 1 or 3.</summary>
    public int Channels => Color is PngColor.Gray or PngColor.GrayAlpha ? 1 : 3;

    /// <summary>Distance in bytes between a byte and its left neighbor in the filters; at least 1.</summary>
    public int FilterDistance => Math.Max(1, SamplesPerPixel * BitDepth / 8);

    /// <summary>Bytes of a row of <paramref name="width"/> pixels, without the filter byte.</summary>
    public int RowBytes(int width) => (int)(((long)width * SamplesPerPixel * BitDepth + 7) / 8);

    public static PngHeader Parse(ReadOnlySpan<byte> data)
    {
        if (data.Length != 13)
            throw new InvalidDataException($"its IHDR chunk must hold 13 bytes, it holds {data.Length}");
        uint width = BinaryPrimitives.ReadUInt32BigEndian(data);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        ImageDecoder.CheckSize((int)Math.Min(width, int.MaxValue), (int)Math.Min(height, int.MaxValue));
        var header = new PngHeader((int)width, (int)height, data[8], (PngColor)data[9], data[12] == 1);
        bool allowed = header.Color switch
        {
            PngColor.Gray => header.BitDepth is 1 or 2 or 4 or 8 or 16,
            PngColor.Palette => header.BitDepth is 1 or 2 or 4 or 8,
            PngColor.Rgb or PngColor.GrayAlpha or PngColor.Rgba => header.BitDepth is 8 or 16,
            _ => false,
        };
        if (!allowed)
            throw new InvalidDataException(
                $"its header names color type {data[9]} with {data[8]} bits, which PNG does not define");
        if (data[10] != 0 || data[11] != 0 || data[12] > 1)
            throw new InvalidDataException(
                $"its header names compression {data[10]}, filter {data[11]} and interlacing {data[12]}; " +
                "PNG defines 0, 0 and 0 or 1");
        return header;
    }
}
