using System.Numerics;

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

    /// <summary>Adds the partial sums [block][2][width] of all blocks, in their order and in f64: totals[c] and totals[channels + c] of channel c.</summary>
    public void Totals(float* partial, double* totals)
    {
        new Span<double>(totals, 2 * _channels).Clear();
        for (float* end = partial + 2L * Width * Blocks; partial < end; partial += 2 * Width)
            for (int joined = 0; joined < Width; joined += _channels)
            {
                AddTo(totals, partial + joined);
                AddTo(totals + _channels, partial + Width + joined);
            }
    }

    private void AddTo(double* totals, float* values)
    {
        int c = 0, w = Vector<double>.Count;
        for (; c <= _channels - 2 * w; c += 2 * w)
        {
            Vector.Widen(Vector.Load(values + c), out var low, out var high);
            (Vector.Load(totals + c) + low).Store(totals + c);
            (Vector.Load(totals + c + w) + high).Store(totals + c + w);
        }
        for (; c < _channels; c++)
            totals[c] += values[c];
    }
}
