namespace Dom.Tensors.Backend;

/// <summary>
/// The memory behind the views of a call, copied to another backend. Views that overlap, as those of a call that works in place, overlap in the
/// same way in the copy.
/// </summary>
internal sealed class ViewCopies : IDisposable
{
    private readonly IBackend _target;
    private readonly List<nint> _blocks = [];

    public ViewCopies(IBackend source, IBackend target, View[] views)
    {
        _target = target;
        Views = (View[])views.Clone();
        try
        {
            source.Synchronize();
            CopyRegions(source, views);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The views on the copies, in the order of the originals.</summary>
    public View[] Views { get; }

    public void Dispose()
    {
        foreach (nint block in _blocks)
            _target.Memory.Free(block);
        _blocks.Clear();
    }

    private void CopyRegions(IBackend source, View[] views)
    {
        int[] order = Enumerable.Range(0, views.Length).Where(i => !views[i].IsNone).OrderBy(i => views[i].Address).ToArray();
        for (int first = 0; first < order.Length;)
        {
            // A region is a run of views each of which starts before the ones in front of it have ended.
            nint start = views[order[first]].Address;
            long end = start + views[order[first]].Bytes;
            int next = first + 1;
            for (; next < order.Length && (views[order[next]].Address < end || views[order[next]].Address == start); next++)
                end = Math.Max(end, views[order[next]].Address + views[order[next]].Bytes);
            nint copy = CopyRegion(source, start, checked((int)(end - start)));
            for (; first < next; first++)
                Views[order[first]] = views[order[first]] with { Address = copy + (views[order[first]].Address - start) };
        }
    }

    private nint CopyRegion(IBackend source, nint start, int length)
    {
        var bytes = new byte[length];
        source.CopyToHost(new View(start, length, DType.U8, Access.Read), bytes);
        nint block = _target.Memory.Allocate(length, "checking");
        _blocks.Add(block);
        _target.CopyFromHost(bytes, new View(block, length, DType.U8, Access.Write));
        return block;
    }
}
