namespace Dom.Train.Data.Images;

/// <summary>Reads the entropy-coded bits of a JPEG, most significant first, and stops at the next marker.</summary>
/// <remarks>
/// Past the last bit it delivers zeros, as many as are asked for, and remembers how many: the decoder asks
/// <see cref="ThrowIfOverrun"/> once a row of blocks and not once a bit.
/// </remarks>
internal ref struct JpegBitReader
{
    private readonly ReadOnlySpan<byte> _file;
    private ulong _bits;        // the next bit is the uppermost one
    private int _count;         // how many of them are filled, zeros past the end included
    private int _zeros;         // how many of those are zeros past the end
    private int _position;

    public JpegBitReader(ReadOnlySpan<byte> file, int position)
    {
        _file = file;
        _position = position;
    }

    /// <summary>
    /// Index of the first byte that no bit was taken from; after the last block, at or before the next marker.
    /// </summary>
    public readonly int Position => _position;

    /// <summary>Makes at least 32 bits ready for <see cref="Peek"/> and <see cref="Skip"/>.</summary>
    public void Prepare()
    {
        if (_count < 32)
            Fill();
    }

    /// <summary>The next <paramref name="count"/> bits (1..32), which stay.</summary>
    public readonly int Peek(int count) => (int)(_bits >> (64 - count));

    /// <summary>Drops bits that <see cref="Prepare"/> made ready.</summary>
    public void Skip(int count)
    {
        _bits <<= count;
        _count -= count;
    }

    /// <summary>Takes <paramref name="count"/> bits (1..16) as an unsigned number.</summary>
    public int Read(int count)
    {
        Prepare();
        int value = Peek(count);
        Skip(count);
        return value;
    }

    /// <summary>
    /// Takes a coefficient of <paramref name="count"/> bits (1..16): a leading 0 says that it is negative (T.81,
    /// F.2.2.1).
    /// </summary>
    public int ReadSigned(int count)
    {
        int value = Read(count);
        return value < 1 << (count - 1) ? value - (1 << count) + 1 : value;
    }

    /// <summary>Throws where more bits were taken than the file has before the next marker.</summary>
    public readonly void ThrowIfOverrun()
    {
        if (_count < _zeros)
            throw new InvalidDataException(
                $"it is truncated or corrupt: its coded data ends at byte {_position} of {_file.Length}, " +
                "before all blocks have come");
    }

    /// <summary>
    /// Moves past restart marker <paramref name="number"/> (0..7), dropping what is left of the last byte.
    /// </summary>
    public void PassRestart(int number)
    {
        ThrowIfOverrun();
        while (_position + 1 < _file.Length && !(_file[_position] == 0xFF && _file[_position + 1] is not (0 or 0xFF)))
            _position++;
        if (_position + 1 >= _file.Length || _file[_position + 1] != 0xD0 + number)
            throw new InvalidDataException(
                $"it is truncated or corrupt: restart marker {number} is missing at byte {_position}");
        _position += 2;
        _bits = 0;
        _count = 0;
        _zeros = 0;
    }

    private void Fill()
    {
        while (_count <= 56)
        {
            uint value = 0;
            if (_position >= _file.Length)
                _zeros += 8;
            else if ((value = _file[_position]) != 0xFF)
                _position++;
            else if (TryPassStuffing())
                value = 0xFF;
            else
            {
                value = 0;
                _zeros += 8;
            }
            _bits |= (ulong)value << (56 - _count);
            _count += 8;
        }
    }

    // A data byte FF is followed by 00; any other byte makes it a marker, before which more FF may stand.
    private bool TryPassStuffing()
    {
        int next = _position + 1;
        while (next < _file.Length && _file[next] == 0xFF)
            next++;
        if (next >= _file.Length || _file[next] != 0)
            return false;
        _position = next + 1;
        return true;
    }
}
