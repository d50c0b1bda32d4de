namespace Dom.Train.Data.Images;

/// <summary>Turns a rebuilt row of a PNG into 8-bit gray or RGB pixels.</summary>
internal static class PngRow
{
    /// <summary>Writes the pixels of one row.</summary>
    /// <param name="header">Says what a pixel of the file is.</param>
    /// <param name="palette">The bytes of PLTE, three a color; empty where there is none.</param>
    /// <param name="row">The rebuilt bytes of the row.</param>
    /// <param name="pixels">[width, Channels], 8 bits a sample.</param>
    public static void Expand(
        in PngHeader header, ReadOnlySpan<byte> palette, ReadOnlySpan<byte> row, Span<byte> pixels)
    {
        int channels = header.Channels;
        int width = pixels.Length / channels;
        if (header.BitDepth < 8)
        {
            ExpandPacked(header, palette, row, pixels, width);
            return;
        }
        if (header.Color == PngColor.Palette)
        {
            for (int x = 0; x < width; x++)
                LookUp(palette, row[x]).CopyTo(pixels[(3 * x)..]);
            return;
        }
        int sampleBytes = header.BitDepth / 8;      // of 16-bit samples, big-endian, the upper byte is kept
        int pixelBytes = header.SamplesPerPixel * sampleBytes;
        if (pixelBytes == channels)
        {
            row[..pixels.Length].CopyTo(pixels);
            return;
        }
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                pixels[x * channels + c] = row[x * pixelBytes + c * sampleBytes];
    }

    // 1, 2 or 4 bits a pixel, the leftmost pixel in the uppermost bits. Gray is scaled so that full white becomes 255.
    private static void ExpandPacked(
        in PngHeader header, ReadOnlySpan<byte> palette, ReadOnlySpan<byte> row, Span<byte> pixels, int width)
    {
        int bits = header.BitDepth;
        int perByte = 8 / bits;
        int mask = (1 << bits) - 1;
        int scale = 255 / mask;
        for (int x = 0; x < width; x++)
        {
            int value = (row[x / perByte] >> (8 - bits * (x % perByte + 1))) & mask;
            if (header.Color == PngColor.Palette)
                LookUp(palette, value).CopyTo(pixels[(3 * x)..]);
            else
                pixels[x] = (byte)(value * scale);
        }
    }

    private static ReadOnlySpan<byte> LookUp(ReadOnlySpan<byte> palette, int index)
    {
        if (3 * index >= palette.Length)
            throw new InvalidDataException($"a pixel names color {index} of a palette of {palette.Length / 3}");
        return palette.Slice(3 * index, 3);
    }
}
