namespace Dom.Train.Data.Images;

/// <summary>From YCbCr to RGB as JFIF defines it, with 16 fraction bits and libjpeg's roundings.</summary>
internal static class JpegColor
{
    private const int FractionBits = 16;
    private const int Half = 1 << (FractionBits - 1);

    // 1.402, 1.772, 0.714136 and 0.344136 follow from the weights 0.299, 0.587, 0.114 of the luminance.
    private static readonly int[] s_redOfCr = Table(cr => (Fixed(1.40200) * cr + Half) >> FractionBits);
    private static readonly int[] s_blueOfCb = Table(cb => (Fixed(1.77200) * cb + Half) >> FractionBits);
    private static readonly int[] s_greenOfCr = Table(cr => -Fixed(0.71414) * cr);
    private static readonly int[] s_greenOfCb = Table(cb => -Fixed(0.34414) * cb + Half);

    /// <summary>One row: <paramref name="rgb"/> is [width, 3], each other span holds at least width samples.</summary>
    public static void ToRgb(ReadOnlySpan<byte> y, ReadOnlySpan<byte> cb, ReadOnlySpan<byte> cr, Span<byte> rgb)
    {
        int width = rgb.Length / 3;
        for (int x = 0; x < width; x++)
        {
            int luminance = y[x];
            var pixel = rgb.Slice(3 * x, 3);
            pixel[0] = ToByte(luminance + s_redOfCr[cr[x]]);
            pixel[1] = ToByte(luminance + ((s_greenOfCb[cb[x]] + s_greenOfCr[cr[x]]) >> FractionBits));
            pixel[2] = ToByte(luminance + s_blueOfCb[cb[x]]);
        }
    }

    /// <summary>One row of components that are red, green and blue already.</summary>
    public static void Interleave(
        ReadOnlySpan<byte> red, ReadOnlySpan<byte> green, ReadOnlySpan<byte> blue, Span<byte> rgb)
    {
        for (int x = 0; x < rgb.Length / 3; x++)
        {
            rgb[3 * x] = red[x];
            rgb[3 * x + 1] = green[x];
            rgb[3 * x + 2] = blue[x];
        }
    }

    private static byte ToByte(int value) => (byte)Math.Clamp(value, 0, 255);

    private static int Fixed(double value) => (int)(value * (1 << FractionBits) + 0.5);

    private static int[] Table(Func<int, int> of) => [.. Enumerable.Range(-128, 256).Select(of)];
}
