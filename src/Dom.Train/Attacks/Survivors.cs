using Dom.Nn;
using Dom.Tensors;
using Dom.Tensors.Ops;

namespace Dom.Train.Attacks;

/// <summary>Which rows of a batch an attack still has to work on, and the batches to do it in.</summary>
/// <remarks>
/// Batches shrink to a multiple of a 16th of the first one, filled up with rows that have fallen: the allocator keeps the blocks of every size it met.
/// </remarks>
internal sealed class Survivors
{
    private const int BatchSizes = 16;

    private readonly bool[] _fallen;
    private readonly int _grain;

    /// <summary>All of <paramref name="count"/> rows.</summary>
    public Survivors(int count)
    {
        _fallen = new bool[count];
        _grain = Math.Max(1, (count + BatchSizes - 1) / BatchSizes);
        Count = count;
    }

    /// <summary>Number of rows that stand.</summary>
    public int Count { get; private set; }

    /// <summary>Rows that the next batch has.</summary>
    public int BatchSize => Math.Min(_fallen.Length, (Count + _grain - 1) / _grain * _grain);

    /// <summary>Whether a row is still to be worked on.</summary>
    public bool Stands(int row) => !_fallen[row];

    /// <summary>Takes a row out; doing so twice does no harm.</summary>
    public void Remove(int row)
    {
        if (!_fallen[row])
            Count--;
        _fallen[row] = true;
    }

    /// <summary>The rows that stand, in order, and behind them fallen ones that fill the batch up.</summary>
    public int[] Batch()
    {
        var rows = Enumerable.Range(0, _fallen.Length);
        return [.. rows.Where(Stands), .. rows.Where(row => _fallen[row]).Take(BatchSize - Count)];
    }

    /// <summary>The same images in memory of their own; owned by the current scope.</summary>
    public static Tensor Copy(Tensor images)
    {
        var copy = Tensor.Empty(images.Shape, images.Type, images.Backend, "attack");
        images.Backend.Run(new Copy(images.Read, copy.Write));
        return copy;
    }

    /// <summary>Refuses a pass in which rows influence each other, or are cut at random.</summary>
    /// <exception cref="ArgumentException">The pass does not use running statistics, or has dropout.</exception>
    public static void CheckPass(string attack, Pass pass)
    {
        if (pass.BatchNorm != BatchNormMode.RunningStatistics || pass.Dropout is not null)
            throw new ArgumentException($"{attack}: samples come and go, so the network must be in evaluation mode; got {pass}.", nameof(pass));
    }
}
