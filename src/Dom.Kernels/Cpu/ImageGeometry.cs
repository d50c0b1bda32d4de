namespace Dom.Kernels.Cpu;

/// <summary>Affine maps of an image of bytes: every pixel of y is read out of x at its source, black outside.</summary>
/// <param name="height">Rows.</param>
/// <param name="width">Columns.</param>
/// <param name="channels">Channels.</param>
/// <param name="p">The map: six numbers, as <c>ImageStepParameters</c> makes them.</param>
internal readonly unsafe struct ImageGeometry(int height, int width, int channels, float* p)
{
    private readonly float* _p = p;

    public void Nearest(byte* x, byte* y)
    {
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++, y += channels)
            {
                var (row, column) = Source(i, j);
                int h = (int)MathF.Round(row, MidpointRounding.ToEven), w = (int)MathF.Round(column, MidpointRounding.ToEven);
                bool isInside = IsInside(h, w);
                for (int c = 0; c < channels; c++)
                    y[c] = isInside ? x[(h * width + w) * channels + c] : (byte)0;
            }
    }

    public void Bilinear(byte* x, byte* y)
    {
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++, y += channels)
            {
                var (row, column) = Source(i, j);
                float upper = MathF.Floor(row), left = MathF.Floor(column), down = row - upper, right = column - left, up = 1 - down, toLeft = 1 - right;
                int h = (int)upper, w = (int)left, at = (h * width + w) * channels;
                bool a = IsInside(h, w), b = IsInside(h, w + 1), d = IsInside(h + 1, w), e = IsInside(h + 1, w + 1);
                for (int c = 0; c < channels; c++, at++)
                {
                    float sum = MathF.FusedMultiplyAdd(b ? x[at + channels] : 0, up * right, (a ? x[at] : 0) * (up * toLeft));
                    sum = MathF.FusedMultiplyAdd(d ? x[at + width * channels] : 0, down * toLeft, sum);
                    sum = MathF.FusedMultiplyAdd(e ? x[at + (width + 1) * channels] : 0, down * right, sum);
                    y[c] = (byte)MathF.Round(sum, MidpointRounding.ToEven);
                }
            }
    }

    private bool IsInside(int row, int column) => (uint)row < (uint)height && (uint)column < (uint)width;

    /// <summary>Where the pixel (i, j) comes from, in rows and columns.</summary>
    private (float Row, float Column) Source(int i, int j)
    {
        float u = j + 0.5f - 0.5f * width, v = i + 0.5f - 0.5f * height;
        float across = u * _p[0] + v * _p[1] + _p[2], down = u * _p[3] + v * _p[4] + _p[5]; // each product rounded: C# fuses nothing by itself
        return (MathF.FusedMultiplyAdd(down + 1, 0.5f * height, -0.5f), MathF.FusedMultiplyAdd(across + 1, 0.5f * width, -0.5f));
    }
}
