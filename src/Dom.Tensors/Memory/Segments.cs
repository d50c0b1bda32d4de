namespace Dom.Tensors.Memory;

/// <summary>
/// Large pieces of memory of which blocks are cut; a block that comes back grows together with its free neighbors, so that the room of a
/// large tensor serves several small ones later and the other way round.
/// </summary>
/// <remarks>
/// A request takes the smallest free range that holds it, of equal ones that of the lowest address: what is free decides, and not the order
/// in which it became free.
/// </remarks>
internal sealed class Segments
{
    private readonly List<Range> _free = []; // by address
    private readonly Dictionary<nint, long> _segments = [];

    /// <summary>Adds a segment, all of it free.</summary>
    public void Add(nint address, long bytes)
    {
        _segments.Add(address, bytes);
        Free(address, bytes, address);
    }

    /// <summary>Cuts a block out of a free range; false where none is large enough.</summary>
    public bool TryAllocate(long bytes, out nint address, out nint segment)
    {
        int best = -1;
        for (int i = 0; i < _free.Count; i++)
            if (_free[i].Bytes >= bytes && (best < 0 || _free[i].Bytes < _free[best].Bytes))
                best = i;
        (address, segment) = best < 0 ? (0, 0) : (_free[best].Address, _free[best].Segment);
        if (best < 0)
            return false;
        if (_free[best].Bytes == bytes)
            _free.RemoveAt(best);
        else
            _free[best] = new Range(address + (nint)bytes, _free[best].Bytes - bytes, segment);
        return true;
    }

    /// <summary>Takes a block back into its segment.</summary>
    public void Free(nint address, long bytes, nint segment)
    {
        int next = _free.FindIndex(range => range.Address > address);
        if (next < 0)
            next = _free.Count;
        // Segments may happen to lie side by side; they came one by one and go back so.
        if (next < _free.Count && _free[next].Segment == segment && _free[next].Address == address + (nint)bytes)
        {
            bytes += _free[next].Bytes;
            _free.RemoveAt(next);
        }
        if (next > 0 && _free[next - 1].Segment == segment && _free[next - 1].End == address)
            _free[next - 1] = _free[next - 1] with { Bytes = _free[next - 1].Bytes + bytes };
        else
            _free.Insert(next, new Range(address, bytes, segment));
    }

    /// <summary>Returns to the source the segments of which nothing is in use.</summary>
    /// <returns>Their bytes.</returns>
    public long ReturnUnused(IBlockSource source)
    {
        long returned = 0;
        foreach (var unused in _free.Where(range => range.Bytes == _segments[range.Segment]).ToArray())
        {
            _free.Remove(unused);
            _segments.Remove(unused.Segment);
            source.Free(unused.Address, unused.Bytes);
            returned += unused.Bytes;
        }
        return returned;
    }

    /// <summary>Returns all segments to the source, those in use too.</summary>
    public void ReturnAll(IBlockSource source)
    {
        foreach (var (address, bytes) in _segments)
            source.Free(address, bytes);
        _segments.Clear();
        _free.Clear();
    }

    private readonly record struct Range(nint Address, long Bytes, nint Segment)
    {
        public nint End => Address + (nint)Bytes;
    }
}
