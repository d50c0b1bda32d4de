namespace Dom.Train.Data.Images;

/// <summary>
/// One component's part in a scan, with the Huffman tables it names (null where there are none under that number).
/// </summary>
internal readonly record struct JpegScanComponent(JpegComponent Component, JpegHuffman? Dc, JpegHuffman? Ac);

/// <summary>
/// One scan (SOS) of a JPEG: which components, which frequencies, which bits; decodes them into the coefficients.
/// </summary>
internal sealed class JpegScan
{
    private readonly JpegFrame _frame;
    private readonly JpegScanComponent[] _parts;
    private readonly int _first, _last, _high, _low;
    private int _endOfBandRun;

    /// <summary>Reads the scan header.</summary>
    /// <param name="segment">The SOS segment without its length.</param>
    /// <param name="frame">The frame that the scan belongs to.</param>
    /// <param name="dc">The four DC tables as they are now.</param>
    /// <param name="ac">The four AC tables as they are now.</param>
    public JpegScan(ReadOnlySpan<byte> segment, JpegFrame frame, JpegHuffman?[] dc, JpegHuffman?[] ac)
    {
        int count = segment.IsEmpty ? 0 : segment[0];
        if (count < 1 || count > frame.Components.Length || segment.Length != 4 + 2 * count)
            throw new InvalidDataException(
                $"it is corrupt: a scan header of {segment.Length} bytes names {count} components, " +
                $"the frame has {frame.Components.Length}");
        _frame = frame;
        _parts = new JpegScanComponent[count];
        for (int i = 0; i < count; i++)
        {
            int id = segment[1 + 2 * i];
            int tables = segment[2 + 2 * i];
            var component = Array.Find(frame.Components, c => c.Id == id)
                ?? throw new InvalidDataException(
                    $"it is corrupt: a scan names component {id}, which the frame does not have");
            if (tables >> 4 > 3 || (tables & 15) > 3 || Array.Exists(_parts, p => p.Component == component))
                throw new InvalidDataException(
                    $"it is corrupt: a scan names component {id} twice, or Huffman tables above 3");
            _parts[i] = new JpegScanComponent(component, dc[tables >> 4], ac[tables & 15]);
        }
        var progress = segment[^3..];
        (_first, _last, _high, _low) = frame.IsProgressive
            ? (progress[0], progress[1], progress[2] >> 4, progress[2] & 15)
            : (0, 63, 0, 0);
        CheckProgress();
        CheckTables();
    }

    /// <summary>The components that the scan adds to.</summary>
    public IEnumerable<JpegComponent> Components => _parts.Select(p => p.Component);

    /// <summary>Whether the scan brings the DC values for the first time.</summary>
    public bool StartsDc => _first == 0 && _high == 0;

    /// <summary>Decodes the scan's data.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="position">Where the coded data starts.</param>
    /// <param name="restartInterval">Units between two restart markers; 0: there are none.</param>
    /// <returns>A position at or before the marker that follows.</returns>
    public int Decode(ReadOnlySpan<byte> file, int position, int restartInterval)
    {
        var reader = new JpegBitReader(file, position);
        Reset();
        // A scan of one component goes through its own blocks; padding blocks exist in interleaved scans only.
        bool isInterleaved = _parts.Length > 1;
        int across = isInterleaved ? _frame.UnitsAcross : _parts[0].Component.BlocksAcross;
        int down = isInterleaved ? _frame.UnitsDown : _parts[0].Component.BlocksDown;
        int untilRestart = restartInterval;
        int restarts = 0;
        for (int y = 0; y < down; y++)
        {
            for (int x = 0; x < across; x++)
            {
                if (restartInterval > 0 && untilRestart-- == 0)
                {
                    reader.PassRestart(restarts++ % 8);
                    Reset();
                    untilRestart = restartInterval - 1;
                }
                if (isInterleaved)
                    DecodeUnit(ref reader, x, y);
                else
                    DecodeBlock(ref reader, _parts[0], x, y);
            }
            reader.ThrowIfOverrun();
        }
        return reader.Position;
    }

    private void DecodeUnit(ref JpegBitReader reader, int x, int y)
    {
        foreach (ref readonly var part in _parts.AsSpan())
        {
            int horizontal = part.Component.Horizontal;
            int vertical = part.Component.Vertical;
            for (int j = 0; j < vertical; j++)
                for (int i = 0; i < horizontal; i++)
                    DecodeBlock(ref reader, part, x * horizontal + i, y * vertical + j);
        }
    }

    private void DecodeBlock(ref JpegBitReader reader, in JpegScanComponent part, int x, int y)
    {
        var block = part.Component.Block(x, y);
        if (!_frame.IsProgressive)
            JpegBlock.Sequential(ref reader, part.Component, part.Dc!, part.Ac!, block);
        else if (_first == 0 && _high == 0)
            JpegBlock.DcFirst(ref reader, part.Component, part.Dc!, _low, block);
        else if (_first == 0)
            JpegBlock.DcRefine(ref reader, _low, block);
        else if (_high == 0)
            JpegBlock.AcFirst(ref reader, part.Ac!, _first, _last, _low, ref _endOfBandRun, block);
        else
            JpegBlock.AcRefine(ref reader, part.Ac!, _first, _last, _low, ref _endOfBandRun, block);
    }

    private void Reset()
    {
        foreach (var part in _parts)
            part.Component.Predictor = 0;
        _endOfBandRun = 0;
    }

    private void CheckProgress()
    {
        bool isDc = _first == 0;
        bool bandFits = !_frame.IsProgressive ||
            (isDc ? _last == 0 : _last >= _first && _last <= 63 && _parts.Length == 1);
        bool bitsFit = _low <= 13 && (_high == 0 || _high == _low + 1);
        if (!bandFits || !bitsFit)
            throw new InvalidDataException(
                $"it is corrupt: a scan of {_parts.Length} components names the frequencies {_first} to {_last} " +
                $"and the bits {_high} to {_low}");
    }

    private void CheckTables()
    {
        bool needsDc = StartsDc;
        bool needsAc = !_frame.IsProgressive || _first > 0;
        foreach (var part in _parts)
            if ((needsDc && part.Dc is null) || (needsAc && part.Ac is null))
                throw new InvalidDataException(
                    $"it is corrupt: component {part.Component.Id} needs a Huffman table " +
                    "that the file has not defined");
    }
}
