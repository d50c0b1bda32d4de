namespace Dom.Tensors.Memory;

/// <summary>Where an allocator gets its blocks from: the host's heap, a CUDA device.</summary>
public interface IBlockSource
{
    /// <summary>A block of at least <paramref name="bytes"/> bytes, aligned to 64; 0 when there is no memory left.</summary>
    nint Allocate(long bytes);

    /// <summary>Gives a block back.</summary>
    void Free(nint address, long bytes);
}

/// <summary>
/// Keeps freed blocks for reuse. Sizes are rounded up to a multiple of 512 bytes up to 1 MiB, and of 2 MiB above. A small request takes a free
/// block of exactly its size, a large one is cut out of a segment of at least 32 MiB; of equal candidates the lowest address. The choice
/// depends on what is free and not on the order in which it was freed: after one step to warm up, a step that repeats gets the same
/// addresses. Nothing is freed by a finalizer.
/// </summary>
public sealed class CachingAllocator(IBlockSource source, string device) : IDisposable
{
    private const long SmallStep = 512, LargeStep = 2 << 20, LargeFrom = 1 << 20, SegmentBytes = 32 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, PriorityQueue<nint, nint>> _free = [];
    private readonly Segments _segments = new();
    private readonly Dictionary<nint, (long Bytes, string Owner, nint Segment)> _live = [];

    /// <summary>Bytes handed out and not yet given back, rounded up.</summary>
    public long LiveBytes { get; private set; }

    /// <summary>The largest <see cref="LiveBytes"/> since the start or the last <see cref="ResetPeak"/>.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Bytes kept for reuse.</summary>
    public long CachedBytes { get; private set; }

    /// <summary>Blocks handed out and not yet given back.</summary>
    public int LiveBlocks => _live.Count;

    /// <summary>A block for at least <paramref name="bytes"/> bytes; its contents are undefined.</summary>
    /// <param name="bytes">Bytes needed, 0 or more.</param>
    /// <param name="owner">The operator or object that asks, for reports.</param>
    /// <exception cref="DeviceMemoryException">Out of memory even after the cache was emptied.</exception>
    public nint Allocate(long bytes, string owner)
    {
        long size = SizeClass(bytes);
        lock (_lock)
        {
            nint segment = 0;
            nint address = size > LargeFrom ? Large(size, out segment) : Small(size);
            if (address == 0)
                throw new DeviceMemoryException(
                    $"{device}: out of memory: {owner} asked for {Mebibytes(size)}, {Mebibytes(LiveBytes)} are in use ({Report(5)}). " +
                    "Use a smaller batch.", LiveBytes + CachedBytes);
            _live.Add(address, (size, owner, segment));
            LiveBytes += size;
            PeakBytes = Math.Max(PeakBytes, LiveBytes);
            return address;
        }
    }

    /// <summary>Takes a block back and keeps it for reuse.</summary>
    public void Free(nint address)
    {
        lock (_lock)
        {
            if (!_live.Remove(address, out var block))
                throw new InvalidOperationException($"{device}: block {address:x} was not handed out, or was freed twice.");
            LiveBytes -= block.Bytes;
            CachedBytes += block.Bytes;
            if (block.Segment != 0)
                _segments.Free(address, block.Bytes, block.Segment);
            else if (_free.TryGetValue(block.Bytes, out var blocks))
                blocks.Enqueue(address, address);
            else
                _free.Add(block.Bytes, new PriorityQueue<nint, nint>([(address, address)]));
        }
    }

    /// <summary>Returns to the source what is kept: all small blocks, and the segments of which nothing is in use.</summary>
    public void EmptyCache()
    {
        lock (_lock)
        {
            foreach (var (size, blocks) in _free)
                foreach (var (address, _) in blocks.UnorderedItems)
                {
                    source.Free(address, size);
                    CachedBytes -= size;
                }
            _free.Clear();
            CachedBytes -= _segments.ReturnUnused(source);
        }
    }

    /// <summary>Starts the measurement of <see cref="PeakBytes"/> anew.</summary>
    public void ResetPeak() => PeakBytes = LiveBytes;

    /// <summary>Live bytes by owner, the largest first: "conv2d 512.0 MiB in 12, batchnorm2d 64.0 MiB in 20".</summary>
    public string Report(int owners = int.MaxValue)
    {
        lock (_lock)
        {
            var groups = _live.Values.GroupBy(b => b.Owner)
                .Select(g => (Owner: g.Key, Bytes: g.Sum(b => b.Bytes), Count: g.Count()))
                .OrderByDescending(g => g.Bytes).ThenBy(g => g.Owner, StringComparer.Ordinal).Take(owners);
            return string.Join(", ", groups.Select(g => $"{g.Owner} {Mebibytes(g.Bytes)} in {g.Count}"));
        }
    }

    /// <summary>Returns everything to the source, live blocks too: their tensors must not be used any more.</summary>
    public void Dispose()
    {
        EmptyCache();
        _segments.ReturnAll(source);
        foreach (var (address, block) in _live.Where(pair => pair.Value.Segment == 0))
            source.Free(address, block.Bytes);
        _live.Clear();
        LiveBytes = CachedBytes = 0;
    }

    private nint Small(long size)
    {
        if (!_free.TryGetValue(size, out var blocks) || blocks.Count == 0)
            return FromSource(size);
        CachedBytes -= size;
        return blocks.Dequeue();
    }

    private nint Large(long size, out nint segment)
    {
        if (!_segments.TryAllocate(size, out nint address, out segment))
        {
            // Where a whole segment is too much, the request itself may still fit.
            long bytes = Math.Max(size, SegmentBytes);
            nint added = source.Allocate(bytes);
            if (added == 0)
                added = FromSource(bytes = size);
            if (added == 0)
                return 0;
            _segments.Add(added, bytes);
            CachedBytes += bytes;
            _segments.TryAllocate(size, out address, out segment);
        }
        CachedBytes -= size;
        return address;
    }

    /// <summary>A block of the source, for which the cache is emptied if need be.</summary>
    private nint FromSource(long bytes)
    {
        nint address = source.Allocate(bytes);
        if (address != 0)
            return address;
        EmptyCache();
        return source.Allocate(bytes);
    }

    private static long SizeClass(long bytes)
    {
        long step = bytes <= LargeFrom ? SmallStep : LargeStep;
        return Math.Max(step, (bytes + step - 1) / step * step);
    }

    private static string Mebibytes(long bytes) => $"{bytes / 1048576.0:F1} MiB";
}
