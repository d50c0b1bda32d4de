using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu;

/// <summary>A square of pixels of an NHWC image, part of which may lie outside: rows there are zeros, columns there are left out.</summary>
internal unsafe struct WinogradWindow
{
    /// <summary>Pixels along a side of the largest window.</summary>
    public const int Largest = 9;

    private Rows _rows;

    /// <summary>The first column inside the image.</summary>
    public int FirstColumn { get; private set; }

    /// <summary>The column behind the last one inside the image.</summary>
    public int EndColumn { get; private set; }

    /// <summary>Column 0 of row <paramref name="i"/>; its pixels are as far apart as those of the image.</summary>
    public readonly float* Row(int i) => (float*)_rows[i];

    /// <summary>Column 0 of the first so many rows.</summary>
    public readonly void CopyRows(float** target, int count)
    {
        for (int i = 0; i < count; i++)
            target[i] = (float*)_rows[i];
    }

    /// <summary>The window of an image with <paramref name="channels"/> floats a pixel that begins at (top, left), which may be negative; rows outside read "zeros", a row of them.</summary>
    public static WinogradWindow At(float* image, int height, int width, int channels, int top, int left, int side, float* zeros)
    {
        int first = Math.Max(0, -left);
        var window = new WinogradWindow { FirstColumn = first, EndColumn = Math.Clamp(width - left, first, side) };
        for (int i = 0; i < side; i++)
            window._rows[i] = (nint)((uint)(top + i) < (uint)height ? image + ((nint)(top + i) * width + left) * channels : zeros);
        return window;
    }

    /// <summary>Copies channels <paramref name="first"/> .. + <paramref name="count"/> of the window to [side][side][lanes], padded with zeros, and returns that.</summary>
    public readonly WinogradWindow Packed(int first, int count, int channels, int side, int lanes, float* target)
    {
        new Span<float>(target, side * side * lanes).Clear();
        for (int i = 0; i < side; i++)
            for (int j = FirstColumn; j < EndColumn; j++)
                new ReadOnlySpan<float>(Row(i) + (nint)j * channels + first, count).CopyTo(new Span<float>(target + (i * side + j) * lanes, count));
        var window = new WinogradWindow { FirstColumn = 0, EndColumn = side };
        for (int i = 0; i < side; i++)
            window._rows[i] = (nint)(target + i * side * lanes);
        return window;
    }

    [InlineArray(Largest)]
    private struct Rows
    {
        private nint _first;
    }
}
