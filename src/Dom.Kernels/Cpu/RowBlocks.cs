namespace Dom.Kernels.Cpu;

/// <summary>Rows in blocks of about 32,768 elements, and the sums over the blocks.</summary>
internal readonly unsafe struct RowBlocks(int rows, int channels)
{
    private readonly int _size = Math.Max(1, 32768 / channels);

    public int Channels => channels;

    public int Count => (rows + _size - 1) / _size;

    public int Start(int block) => block * _size;

    public int End(int block) => Math.Min(rows, (block + 1) * _size);

    /// <summary>Sum over the blocks of column <paramref name="column"/> of the partial sums [block][2 channels], in f64.</summary>
    public double Total(float* partial, int column)
    {
        double total = 0;
        for (int block = 0; block < Count; block++)
            total += partial[(long)block * 2 * channels + column];
        return total;
    }
}
