namespace Dom.Kernels.Cpu;

/// <summary>
/// The values of a batch norm as rows and blocks of rows. Neighboring rows of few channels are joined to rows of 64 floats, so that a row is
/// whole vectors and its sums fit the registers; the columns of a joined row repeat the channels.
/// </summary>
/// <remarks>All of it depends on the sizes only, neither on the threads nor on the vectors: the sums have the same order everywhere.</remarks>
internal readonly unsafe struct BatchNormRows
{
    private const int JoinedWidth = 64, BlockElements = 32768;

    private readonly int _rows, _blockRows, _channels;

    /// <summary>Rows of so many channels.</summary>
    public BatchNormRows(int rows, int channels)
    {
        int joined = channels > 0 && JoinedWidth % channels == 0 && rows % (JoinedWidth / channels) == 0 ? JoinedWidth / channels : 1;
        Width = channels * joined;
        _channels = channels;
        _rows = rows / joined;
        _blockRows = Math.Max(1, BlockElements / Math.Max(1, Width));
    }

    /// <summary>Floats of a row.</summary>
    public int Width { get; }

    /// <summary>Bytes of all rows.</summary>
    public long Bytes => (long)_rows * Width * sizeof(float);

    /// <summary>Number of blocks.</summary>
    public int Blocks => (_rows + _blockRows - 1) / _blockRows;

    /// <summary>Rows of a block.</summary>
    public int RowsOf(int block) => Math.Min(_rows - block * _blockRows, _blockRows);

    /// <summary>Where a block begins, in floats.</summary>
    public long OffsetOf(int block) => (long)block * _blockRows * Width;

    /// <summary>Whether every row of <paramref name="values"/> is whole vectors of <paramref name="lanes"/> floats at aligned addresses.</summary>
    public bool FitVectors(float* values, int lanes) => Width % lanes == 0 && (nuint)values % ((nuint)lanes * sizeof(float)) == 0;

    /// <summary>Writes the values of the channels to a row of <see cref="Width"/> floats, as often as they fit.</summary>
    public void Repeat(float* values, float* row)
    {
        for (int i = 0; i < Width; i++)
            row[i] = values[i % _channels];
    }

    /// <summary>Sums of channel <paramref name="c"/> over the blocks in f64: of both rows of the partial sums [block][2][width].</summary>
    public (double First, double Second) Totals(float* partial, int c)
    {
        double first = 0, second = 0;
        for (int block = 0; block < Blocks; block++, partial += 2 * Width)
            for (int i = c; i < Width; i += _channels)
            {
                first += partial[i];
                second += partial[Width + i];
            }
        return (first, second);
    }
}
