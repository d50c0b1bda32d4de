namespace Dom.Kernels.Cpu;

/// <summary>A square of pixels of an NHWC image, part of which may lie outside: rows there are zeros, columns there are left out.</summary>
/// <remarks>Rows are fields and not an array: with those of an inline array transforms of 64 channels took 5 % longer.</remarks>
internal unsafe struct WinogradWindow
{
    private const int Few = 6;

    private float* _row0, _row1, _row2, _row3, _row4, _row5, _row6, _row7, _row8;

    /// <summary>The first column inside the image.</summary>
    public int FirstColumn { get; private set; }

    /// <summary>The column behind the last one inside the image.</summary>
    public int EndColumn { get; private set; }

    /// <summary>Column 0 of row <paramref name="i"/>; its pixels are as far apart as those of the image.</summary>
    public readonly float* Row(int i) => i switch
    {
        0 => _row0, 1 => _row1, 2 => _row2, 3 => _row3, 4 => _row4, 5 => _row5, 6 => _row6, 7 => _row7, _ => _row8,
    };

    /// <summary>The window of an image with <paramref name="channels"/> floats a pixel that begins at (top, left), which may be negative; rows outside read "zeros", a row of them.</summary>
    public static WinogradWindow At(float* image, int height, int width, int channels, int top, int left, int side, float* zeros)
    {
        float* Row(int i) => (uint)(top + i) < (uint)height ? image + ((nint)(top + i) * width + left) * channels : zeros;
        int first = Math.Max(0, -left);
        var window = new WinogradWindow
        {
            _row0 = Row(0), _row1 = Row(1), _row2 = Row(2), _row3 = Row(3), _row4 = Row(4), _row5 = Row(5),
            FirstColumn = first, EndColumn = Math.Clamp(width - left, first, side),
        };
        if (side > Few)
        {
            window._row6 = Row(6);
            window._row7 = Row(7);
            window._row8 = Row(8);
        }
        return window;
    }

    /// <summary>Copies channels <paramref name="first"/> .. + <paramref name="count"/> of the window to [side][side][lanes], padded with zeros, and returns that.</summary>
    public readonly WinogradWindow Packed(int first, int count, int channels, int side, int lanes, float* target)
    {
        new Span<float>(target, side * side * lanes).Clear();
        for (int i = 0; i < side; i++)
            for (int j = FirstColumn; j < EndColumn; j++)
                new ReadOnlySpan<float>(Row(i) + (nint)j * channels + first, count).CopyTo(new Span<float>(target + (i * side + j) * lanes, count));
        return At(target, side, side, lanes, 0, 0, side, target);
    }
}
