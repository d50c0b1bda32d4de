using System.Buffers.Binary;

namespace Dom.Train.Data.Images;

/// <summary>
/// Reads a JPEG (T.81): sequential and progressive Huffman coding, 8 bits, gray, YCbCr or RGB, any sampling.
/// </summary>
/// <remarks>
/// Throws <see cref="InvalidDataException"/> where the file is damaged and <see cref="NotSupportedException"/> where
/// it is of another kind; the caller adds the file's name. Damage is never concealed: half an image is not a training
/// sample.
/// </remarks>
internal ref struct JpegDecoder
{
    public static ReadOnlySpan<byte> Signature => [0xFF, 0xD8, 0xFF];

    // Progressive files have about ten scans. A hostile one could have thousands, each a walk over the whole picture.
    private const int MaximumScans = 500;

    private readonly ReadOnlySpan<byte> _file;
    private readonly ushort[]?[] _quantization = new ushort[4][];
    private readonly JpegHuffman?[] _dc = new JpegHuffman[4];
    private readonly JpegHuffman?[] _ac = new JpegHuffman[4];
    private JpegFrame? _frame;
    private int _position = 2;
    private int _restartInterval;
    private int _scans;
    private bool _hasJfif;
    private int? _adobeTransform;

    private JpegDecoder(ReadOnlySpan<byte> file) => _file = file;

    public static DecodedImage Decode(ReadOnlySpan<byte> file) => new JpegDecoder(file).Run();

    private DecodedImage Run()
    {
        while (true)
        {
            int marker = NextMarker();
            if (marker == 0xD9)
                return Finish();
            if (marker is 0x01 or (>= 0xD0 and <= 0xD7))
                continue;       // these stand alone; a restart marker between scans means nothing
            if (marker == 0xD8)
                throw new InvalidDataException($"it is corrupt: a second picture starts at byte {_position - 2}");
            var segment = NextSegment(marker);
            switch (marker)
            {
                case 0xC0 or 0xC1 or 0xC2:
                    if (_frame is not null)
                        throw new InvalidDataException("it is corrupt: it has two frame headers");
                    _frame = new JpegFrame(segment, isProgressive: marker == 0xC2, _file.Length);
                    break;
                case 0xC4:
                    ReadHuffmanTables(segment);
                    break;
                case 0xDB:
                    ReadQuantizationTables(segment);
                    break;
                case 0xDD when segment.Length == 2:
                    _restartInterval = BinaryPrimitives.ReadUInt16BigEndian(segment);
                    break;
                case 0xDA:
                    ReadScan(segment);
                    break;
                case 0xE0 when segment.StartsWith("JFIF\0"u8):
                    _hasJfif = true;
                    break;
                case 0xEE when segment.Length >= 12 && segment.StartsWith("Adobe"u8):
                    _adobeTransform = segment[11];
                    break;
                case >= 0xC3 and <= 0xCF:
                    throw new NotSupportedException(
                        $"its coding process is {ProcessName(marker)}, " +
                        "baseline and progressive Huffman coding are supported");
            }
        }
    }

    private static string ProcessName(int marker) => marker switch
    {
        0xC3 => "lossless",
        0xC5 or 0xC6 or 0xC7 => "hierarchical",
        0xC8 => "an extension",
        _ => "arithmetic coding",
    };

    private int NextMarker()
    {
        while (_position + 1 < _file.Length)
        {
            if (_file[_position++] == 0xFF && _file[_position] is not (0 or 0xFF))
                return _file[_position++];
        }
        throw new InvalidDataException($"it is truncated: after {_file.Length} bytes its end marker has not come");
    }

    private ReadOnlySpan<byte> NextSegment(int marker)
    {
        var rest = _file[_position..];
        int length = rest.Length < 2 ? 2 : BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (length < 2 || length > rest.Length)
            throw new InvalidDataException(
                $"it is truncated or corrupt: segment FF{marker:X2} at byte {_position} should hold {length} bytes, " +
                $"{rest.Length} are left in the file");
        _position += length;
        return rest[2..length];
    }

    private readonly void ReadQuantizationTables(ReadOnlySpan<byte> segment)
    {
        while (!segment.IsEmpty)
        {
            int bytes = segment[0] >> 4 == 0 ? 1 : 2;
            int index = segment[0] & 15;
            if (segment[0] >> 4 > 1 || index > 3 || segment.Length < 1 + 64 * bytes)
                throw new InvalidDataException(
                    $"it is corrupt: quantization table {segment[0]:X2} is not one that JPEG defines, or too short");
            var table = new ushort[64];
            for (int k = 0; k < 64; k++)
                table[JpegBlock.ZigZag[k]] =
                    bytes == 1 ? segment[1 + k] : BinaryPrimitives.ReadUInt16BigEndian(segment[(1 + 2 * k)..]);
            _quantization[index] = table;
            segment = segment[(1 + 64 * bytes)..];
        }
    }

    private readonly void ReadHuffmanTables(ReadOnlySpan<byte> segment)
    {
        while (!segment.IsEmpty)
        {
            int kind = segment[0] >> 4;
            int index = segment[0] & 15;
            int symbols = 0;
            if (segment.Length >= 17)
                foreach (byte count in segment.Slice(1, 16))
                    symbols += count;
            if (kind > 1 || index > 3 || symbols > 256 || segment.Length < 17 + symbols)
                throw new InvalidDataException(
                    $"it is corrupt: Huffman table {segment[0]:X2} is not one that JPEG defines, or too short");
            (kind == 0 ? _dc : _ac)[index] = new JpegHuffman(segment.Slice(1, 16), segment.Slice(17, symbols));
            segment = segment[(17 + symbols)..];
        }
    }

    private void ReadScan(ReadOnlySpan<byte> segment)
    {
        if (_frame is null)
            throw new InvalidDataException("it is corrupt: a scan comes before the frame header");
        if (++_scans > MaximumScans)
            throw new InvalidDataException($"it has more than {MaximumScans} scans");
        var scan = new JpegScan(segment, _frame, _dc, _ac);
        foreach (var component in scan.Components)
        {
            // Tables may change between scans; the one that holds when a component starts is the one it was coded with.
            component.Quantization ??= scan.StartsDc
                ? _quantization[component.QuantizationIndex]
                    ?? throw new InvalidDataException(
                        $"it is corrupt: quantization table {component.QuantizationIndex} is not defined")
                : throw new InvalidDataException(
                    $"it is corrupt: component {component.Id} is refined before it has started");
        }
        _position = scan.Decode(_file, _position, _restartInterval);
    }

    private readonly DecodedImage Finish()
    {
        if (_frame is null)
            throw new InvalidDataException("it has no frame header, and so no picture");
        foreach (var component in _frame.Components)
            if (component.Quantization is null)
                throw new InvalidDataException(
                    $"it is truncated or corrupt: no data came for color component {component.Id}");
        return JpegPicture.Build(_frame, IsRgb());
    }

    // The rules of libjpeg: JFIF means YCbCr, an Adobe marker says which, and without either the identifiers may
    // spell it.
    private readonly bool IsRgb()
    {
        if (_hasJfif)
            return false;
        if (_adobeTransform is not null)
            return _adobeTransform == 0;
        var components = _frame!.Components;
        return components.Length == 3 && components[0].Id == 'R' && components[1].Id == 'G' && components[2].Id == 'B';
    }
}
