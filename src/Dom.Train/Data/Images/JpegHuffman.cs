namespace Dom.Train.Data.Images;

/// <summary>
/// One Huffman table of a JPEG: canonical codes of 1 to 16 bits for symbols of one byte (T.81, annex C).
/// </summary>
internal sealed class JpegHuffman
{
    private const int FastBits = 9;

    private readonly byte[] _symbols;

    // The next bits -> length << 8 | symbol; 0 where the code is longer.
    private readonly ushort[] _fast = new ushort[1 << FastBits];

    // Codes of length l, left-aligned in 16 bits, lie below _limit[l]; the index of a symbol is its code + _offset[l].
    private readonly int[] _limit = new int[17];
    private readonly int[] _offset = new int[17];

    /// <summary>Builds the table from a DHT segment.</summary>
    /// <param name="counts">16 bytes: how many codes of 1, 2 .. 16 bits there are.</param>
    /// <param name="symbols">The symbols in the order of their codes, as many as the counts add up to.</param>
    public JpegHuffman(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        _symbols = symbols.ToArray();
        int code = 0;
        int index = 0;
        for (int length = 1; length <= 16; length++)
        {
            int count = counts[length - 1];
            if (code + count > 1 << length)
                throw new InvalidDataException(
                    $"it is corrupt: a Huffman table has more codes of {length} bits than there can be");
            _offset[length] = index - code;
            for (int i = 0; i < count; i++, code++, index++)
            {
                int spare = FastBits - length;      // bits of the fast index that do not belong to the code
                if (spare >= 0)
                    _fast.AsSpan(code << spare, 1 << spare).Fill((ushort)(length << 8 | _symbols[index]));
            }
            _limit[length] = code << (16 - length);
            code <<= 1;
        }
    }

    /// <summary>Takes one code from <paramref name="reader"/> and returns its symbol.</summary>
    public int Decode(ref JpegBitReader reader)
    {
        reader.Prepare();
        int entry = _fast[reader.Peek(FastBits)];
        if (entry != 0)
        {
            reader.Skip(entry >> 8);
            return entry & 0xFF;
        }
        int bits = reader.Peek(16);
        for (int length = FastBits + 1; length <= 16; length++)
        {
            if (bits >= _limit[length])
                continue;
            reader.Skip(length);
            return _symbols[(bits >> (16 - length)) + _offset[length]];
        }
        reader.ThrowIfOverrun();
        throw new InvalidDataException(
            $"it is corrupt: bits before byte {reader.Position} are no code of their Huffman table");
    }
}
