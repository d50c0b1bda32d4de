namespace Dom.Train.Data.Images;

/// <summary>
/// Decodes the coefficients of one 8x8 block: the baseline procedure (T.81, F.2.2) and the four progressive ones
/// (G.1.2, G.2).
/// </summary>
internal static class JpegBlock
{
    /// <summary>Natural (row-major) index of each coefficient, from the lowest frequency to the highest.</summary>
    public static ReadOnlySpan<byte> ZigZag =>
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
        12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
        35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
        58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
    ];

    /// <summary>The whole block of a sequential scan.</summary>
    public static void Sequential(
        ref JpegBitReader reader, JpegComponent component, JpegHuffman dc, JpegHuffman ac, Span<short> block)
    {
        block[0] = (short)NextDc(ref reader, component, dc);
        for (int k = 1; k < 64; k++)
        {
            int symbol = ac.Decode(ref reader);
            int bits = symbol & 15;
            int run = symbol >> 4;
            if (bits == 0 && run != 15)
                return;
            k += run;
            if (bits != 0)
                block[At(k, 63)] = (short)reader.ReadSigned(bits);
        }
    }

    /// <summary>First scan of the DC value, without its lowest <paramref name="low"/> bits.</summary>
    public static void DcFirst(
        ref JpegBitReader reader, JpegComponent component, JpegHuffman dc, int low, Span<short> block) =>
        block[0] = (short)(NextDc(ref reader, component, dc) << low);

    /// <summary>Bit <paramref name="low"/> of the DC value.</summary>
    public static void DcRefine(ref JpegBitReader reader, int low, Span<short> block) =>
        block[0] |= (short)(reader.Read(1) << low);

    /// <summary>
    /// First scan of the frequencies <paramref name="first"/>..<paramref name="last"/>, without their lowest bits.
    /// </summary>
    public static void AcFirst(
        ref JpegBitReader reader, JpegHuffman ac, int first, int last, int low, ref int endOfBandRun, Span<short> block)
    {
        if (endOfBandRun > 0)
        {
            endOfBandRun--;
            return;
        }
        for (int k = first; k <= last; k++)
        {
            int symbol = ac.Decode(ref reader);
            int bits = symbol & 15;
            int run = symbol >> 4;
            if (bits == 0 && run != 15)
            {
                endOfBandRun = EndOfBandRun(ref reader, run) - 1;
                return;
            }
            k += run;
            if (bits != 0)
                block[At(k, last)] = (short)(reader.ReadSigned(bits) << low);
        }
    }

    /// <summary>
    /// Bit <paramref name="low"/> of the frequencies <paramref name="first"/>..<paramref name="last"/>: a correction
    /// bit for each coefficient that is not zero so far, and between them the runs that place the new ones.
    /// </summary>
    public static void AcRefine(
        ref JpegBitReader reader, JpegHuffman ac, int first, int last, int low, ref int endOfBandRun, Span<short> block)
    {
        int k = first;
        while (endOfBandRun == 0 && k <= last)
        {
            int symbol = ac.Decode(ref reader);
            int bits = symbol & 15;
            int zeros = symbol >> 4;
            int fresh = 0;
            if (bits == 0 && zeros != 15)
            {
                endOfBandRun = EndOfBandRun(ref reader, zeros);
                break;
            }
            if (bits > 1)
                throw new InvalidDataException(
                    $"it is corrupt: a refinement before byte {reader.Position} adds {bits} bits at once");
            if (bits == 1)
                fresh = (reader.Read(1) == 1 ? 1 : -1) << low;
            for (; k <= last; k++)
            {
                ref short coefficient = ref block[ZigZag[k]];
                if (coefficient != 0)
                    Correct(ref reader, low, ref coefficient);
                else if (zeros-- == 0)
                    break;
            }
            if (fresh != 0)
                block[At(k, last)] = (short)fresh;
            k++;
        }
        if (endOfBandRun == 0)
            return;
        endOfBandRun--;
        for (; k <= last; k++)
        {
            ref short coefficient = ref block[ZigZag[k]];
            if (coefficient != 0)
                Correct(ref reader, low, ref coefficient);
        }
    }

    private static void Correct(ref JpegBitReader reader, int low, ref short coefficient)
    {
        if (reader.Read(1) == 1 && (coefficient & (1 << low)) == 0)
            coefficient += (short)((coefficient > 0 ? 1 : -1) << low);
    }

    private static int NextDc(ref JpegBitReader reader, JpegComponent component, JpegHuffman dc)
    {
        int bits = dc.Decode(ref reader);
        if (bits > 15)
            throw new InvalidDataException(
                $"it is corrupt: a DC difference before byte {reader.Position} has {bits} bits, 15 are the most");
        if (bits > 0)
            component.Predictor += reader.ReadSigned(bits);
        return component.Predictor;
    }

    // How many blocks, this one included, have nothing more in the band.
    private static int EndOfBandRun(ref JpegBitReader reader, int bits) =>
        (1 << bits) + (bits > 0 ? reader.Read(bits) : 0);

    private static int At(int k, int last)
    {
        if (k > last)
            throw new InvalidDataException(
                $"it is corrupt: a run of zeros ends at frequency {k}, past the last one, {last}");
        return ZigZag[k];
    }
}
