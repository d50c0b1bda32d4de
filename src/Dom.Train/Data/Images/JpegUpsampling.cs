namespace Dom.Train.Data.Images;

/// <summary>Brings a row of a component with fewer samples to the picture's width.</summary>
/// <remarks>
/// Samples are taken to lie centered between the pixels they stand for, so at a ratio of two a pixel is 3/4 of the
/// nearer sample and 1/4 of the farther one, in each direction (libjpeg's "fancy" upsampling, with its alternating
/// rounding). Every other ratio repeats samples.
/// </remarks>
internal sealed class JpegUpsampling
{
    private readonly JpegComponent _component;
    private readonly JpegFrame _frame;
    private readonly byte[] _plane;         // [rows, _stride] samples
    private readonly int _stride;
    private readonly byte[] _row;
    private readonly int[] _columns;
    private readonly bool _doublesWidth, _doublesHeight;

    public JpegUpsampling(JpegComponent component, JpegFrame frame, byte[] plane, int stride)
    {
        _component = component;
        _frame = frame;
        _plane = plane;
        _stride = stride;
        // Of two columns or fewer libjpeg makes no triangle, and neither do we.
        _doublesWidth = component.Horizontal * 2 == frame.MaximumHorizontal && component.Width > 2;
        bool keepsWidth = component.Horizontal == frame.MaximumHorizontal;
        _doublesHeight = component.Vertical * 2 == frame.MaximumVertical && (_doublesWidth || keepsWidth);
        bool keepsHeight = component.Vertical == frame.MaximumVertical;
        if (_doublesWidth && !_doublesHeight && !keepsHeight)
            _doublesWidth = false;
        _row = keepsWidth && keepsHeight ? [] : new byte[Math.Max(frame.Width, 2 * component.Width)];
        _columns = _doublesWidth ? new int[component.Width] : [];
    }

    /// <summary>
    /// Row <paramref name="y"/> of the picture, at least as wide as the picture; valid until the next call.
    /// </summary>
    public ReadOnlySpan<byte> Row(int y)
    {
        if (_row.Length == 0)
            return Samples(y);
        if (_doublesWidth && _doublesHeight)
            DoubleBoth(y);
        else if (_doublesWidth)
            DoubleWidth(Samples(y));
        else if (_doublesHeight)
            DoubleHeight(y);
        else
            Repeat(y);
        return _row;
    }

    private ReadOnlySpan<byte> Samples(int row) => _plane.AsSpan(row * _stride, _component.Width);

    // The nearer row of samples, and the farther one, which at the picture's edges is the nearer one itself.
    private ReadOnlySpan<byte> Nearer(int y) => Samples(y / 2);

    private ReadOnlySpan<byte> Farther(int y) =>
        Samples(Math.Clamp(y / 2 + (y % 2 == 0 ? -1 : 1), 0, _component.Height - 1));

    private void DoubleWidth(ReadOnlySpan<byte> samples)
    {
        int last = samples.Length - 1;
        for (int x = 0; x <= last; x++)
        {
            int triple = 3 * samples[x];
            _row[2 * x] = x == 0 ? samples[0] : (byte)((triple + samples[x - 1] + 1) >> 2);
            _row[2 * x + 1] = x == last ? samples[last] : (byte)((triple + samples[x + 1] + 2) >> 2);
        }
    }

    private void DoubleHeight(int y)
    {
        var nearer = Nearer(y);
        var farther = Farther(y);
        int bias = y % 2 == 0 ? 1 : 2;
        for (int x = 0; x < nearer.Length; x++)
            _row[x] = (byte)((3 * nearer[x] + farther[x] + bias) >> 2);
    }

    private void DoubleBoth(int y)
    {
        var nearer = Nearer(y);
        var farther = Farther(y);
        for (int x = 0; x < _columns.Length; x++)
            _columns[x] = 3 * nearer[x] + farther[x];
        int last = _columns.Length - 1;
        for (int x = 0; x <= last; x++)
        {
            int value = _columns[x];
            _row[2 * x] = (byte)((3 * value + _columns[Math.Max(x - 1, 0)] + 8) >> 4);
            _row[2 * x + 1] = (byte)((3 * value + _columns[Math.Min(x + 1, last)] + 7) >> 4);
        }
    }

    private void Repeat(int y)
    {
        var samples = Samples(y * _component.Vertical / _frame.MaximumVertical);
        for (int x = 0; x < _frame.Width; x++)
            _row[x] = samples[x * _component.Horizontal / _frame.MaximumHorizontal];
    }
}
