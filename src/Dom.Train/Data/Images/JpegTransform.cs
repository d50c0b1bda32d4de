namespace Dom.Train.Data.Images;

/// <summary>The inverse cosine transform of an 8x8 block: coefficients times quantization table, to bytes.</summary>
/// <remarks>
/// The factorization of Loeffler, Ligtenberg and Moschytz (1989), in integers: constants of 13 fraction bits, columns
/// first with 2 extra bits kept, then rows. These are the roundings of libjpeg's accurate transform, so the bytes are
/// the same. Both passes yield sqrt(8) times the orthonormal transform; the division by 8 is part of the last shift.
/// </remarks>
internal static class JpegTransform
{
    private const int FractionBits = 13;
    private const int ExtraBits = 2;

    // With c(k) = sqrt(2) cos(k pi / 16), times 2^13 and rounded.
    private const int C6 = 4433;                // c6
    private const int C2MinusC6 = 6270;         // c2 - c6
    private const int C2PlusC6 = 15137;         // c2 + c6
    private const int C3 = 9633;                // c3
    private const int C3MinusC7 = 7373;         // c3 - c7
    private const int C1PlusC3 = 20995;         // c1 + c3
    private const int C3PlusC5 = 16069;         // c3 + c5
    private const int C3MinusC5 = 3196;         // c3 - c5
    private const int Odd7 = 2446;              // -c1 + c3 + c5 - c7
    private const int Odd5 = 16819;             // c1 + c3 - c5 + c7
    private const int Odd3 = 25172;             // c1 + c3 + c5 - c7
    private const int Odd1 = 12299;             // c1 + c3 - c5 - c7

    /// <summary>Transforms one block.</summary>
    /// <param name="block">64 coefficients in natural order.</param>
    /// <param name="quantization">64 factors in natural order.</param>
    /// <param name="samples">Where the block's first row starts; row r starts at r * stride.</param>
    /// <param name="stride">Bytes from a row to the next.</param>
    public static void Inverse(
        ReadOnlySpan<short> block, ReadOnlySpan<ushort> quantization, Span<byte> samples, int stride)
    {
        block = block[..64];
        quantization = quantization[..64];
        Span<int> work = stackalloc int[64];
        for (int x = 0; x < 8; x++)
            Column(block, quantization, x, work);
        for (int y = 0; y < 8; y++)
            Row(work.Slice(8 * y, 8), samples.Slice(y * stride, 8));
    }

    private static void Column(ReadOnlySpan<short> block, ReadOnlySpan<ushort> quantization, int x, Span<int> work)
    {
        int dc = block[x] * quantization[x];
        if (block[x + 8] == 0 && block[x + 16] == 0 && block[x + 24] == 0 && block[x + 32] == 0 &&
            block[x + 40] == 0 && block[x + 48] == 0 && block[x + 56] == 0)
        {
            // Most columns of a photograph hold one value alone. The result is exactly that of the full path.
            for (int y = 0; y < 8; y++)
                work[8 * y + x] = dc << ExtraBits;
            return;
        }
        Even(dc, block[x + 16] * quantization[x + 16],
            block[x + 32] * quantization[x + 32], block[x + 48] * quantization[x + 48],
            out int e0, out int e1, out int e2, out int e3);
        Odd(block[x + 8] * quantization[x + 8], block[x + 24] * quantization[x + 24],
            block[x + 40] * quantization[x + 40], block[x + 56] * quantization[x + 56],
            out int o0, out int o1, out int o2, out int o3);
        const int shift = FractionBits - ExtraBits;
        const int half = 1 << (shift - 1);
        work[x] = (e0 + o0 + half) >> shift;
        work[x + 8] = (e1 + o1 + half) >> shift;
        work[x + 16] = (e2 + o2 + half) >> shift;
        work[x + 24] = (e3 + o3 + half) >> shift;
        work[x + 32] = (e3 - o3 + half) >> shift;
        work[x + 40] = (e2 - o2 + half) >> shift;
        work[x + 48] = (e1 - o1 + half) >> shift;
        work[x + 56] = (e0 - o0 + half) >> shift;
    }

    private static void Row(ReadOnlySpan<int> work, Span<byte> samples)
    {
        Even(work[0], work[2], work[4], work[6], out int e0, out int e1, out int e2, out int e3);
        Odd(work[1], work[3], work[5], work[7], out int o0, out int o1, out int o2, out int o3);
        samples[0] = ToByte(e0 + o0);
        samples[1] = ToByte(e1 + o1);
        samples[2] = ToByte(e2 + o2);
        samples[3] = ToByte(e3 + o3);
        samples[4] = ToByte(e3 - o3);
        samples[5] = ToByte(e2 - o2);
        samples[6] = ToByte(e1 - o1);
        samples[7] = ToByte(e0 - o0);
    }

    private static void Even(int x0, int x2, int x4, int x6, out int e0, out int e1, out int e2, out int e3)
    {
        int rotated = (x2 + x6) * C6;
        int upper = rotated + x2 * C2MinusC6;
        int lower = rotated - x6 * C2PlusC6;
        int sum = (x0 + x4) << FractionBits;
        int difference = (x0 - x4) << FractionBits;
        e0 = sum + upper;
        e1 = difference + lower;
        e2 = difference - lower;
        e3 = sum - upper;
    }

    private static void Odd(int x1, int x3, int x5, int x7, out int o0, out int o1, out int o2, out int o3)
    {
        int shared = (x1 + x3 + x5 + x7) * C3;
        int a = (x1 + x7) * C3MinusC7;
        int b = (x3 + x5) * C1PlusC3;
        int c = shared - (x3 + x7) * C3PlusC5;
        int d = shared - (x1 + x5) * C3MinusC5;
        o0 = x1 * Odd1 - a + d;
        o1 = x3 * Odd3 - b + c;
        o2 = x5 * Odd5 - b + d;
        o3 = x7 * Odd7 - a + c;
    }

    // Samples are coded around zero, hence the 128.
    private static byte ToByte(int value)
    {
        const int shift = FractionBits + ExtraBits + 3;
        return (byte)Math.Clamp(((value + (1 << (shift - 1))) >> shift) + 128, 0, 255);
    }
}
