using Dom.Tensors.Memory;

namespace Dom.Tensors.Tests.Memory;

public sealed class CachingAllocatorTests
{
    [Test]
    public void The_same_requests_in_the_same_order_get_the_same_addresses()
    {
        using var allocator = new CachingAllocator(new CountingSource(), "test");
        nint[] Step()
        {
            nint a = allocator.Allocate(1000, "a"), b = allocator.Allocate(3 << 20, "b");
            allocator.Free(a);
            nint c = allocator.Allocate(700, "c"), d = allocator.Allocate(900, "d");
            allocator.Free(d);
            allocator.Free(b);
            allocator.Free(c);
            return [a, b, c, d];
        }
        Step();
        var second = Step();
        Assert.That(Step(), Is.EqualTo(second));
        Assert.That(Step(), Is.EqualTo(second));
    }

    [Test]
    public void A_class_gives_out_its_lowest_free_block_whatever_the_order_in_which_they_were_freed(
        [Values("abc", "acb", "bac", "bca", "cab", "cba")] string order)
    {
        using var allocator = new CachingAllocator(new CountingSource(), "test");
        var blocks = Enumerable.Range(0, 3).Select(_ => allocator.Allocate(512, "a")).ToArray();
        foreach (char block in order)
            allocator.Free(blocks[block - 'a']);
        Assert.That(Enumerable.Range(0, 3).Select(_ => allocator.Allocate(1, "b")), Is.EqualTo(blocks.Order()));
    }

    [TestCase(0, 512)]
    [TestCase(1, 512)]
    [TestCase(512, 512)]
    [TestCase(513, 1024)]
    [TestCase(1 << 20, 1 << 20)]
    [TestCase((1 << 20) + 1, 2 << 20)]
    [TestCase((2 << 20) + 1, 4 << 20)]
    [TestCase((32 << 20) + 1, 34 << 20)]
    public void A_request_is_rounded_up_and_what_was_taken_from_the_source_is_live_or_kept(long bytes, long size)
    {
        var source = new CountingSource();
        using var allocator = new CachingAllocator(source, "test");
        nint block = allocator.Allocate(bytes, "a");
        Assert.That(allocator.LiveBytes, Is.EqualTo(size));
        Assert.That(allocator.LiveBytes + allocator.CachedBytes, Is.EqualTo(source.LiveBytes));
        allocator.Free(block);
        Assert.That((allocator.LiveBytes, allocator.CachedBytes), Is.EqualTo((0L, source.LiveBytes)));
    }

    [Test]
    public void The_room_of_a_large_block_serves_several_smaller_ones_and_is_whole_again_when_they_are_gone(
        [Values("abc", "acb", "bac", "bca", "cab", "cba")] string order)
    {
        var source = new CountingSource();
        using var allocator = new CachingAllocator(source, "test");
        nint large = allocator.Allocate(48 << 20, "large");
        allocator.Free(large);
        var parts = Enumerable.Range(0, 3).Select(_ => allocator.Allocate(16 << 20, "part")).ToArray();
        Assert.That(parts, Is.EqualTo(new[] { large, large + (16 << 20), large + (32 << 20) }));
        foreach (char part in order)
            allocator.Free(parts[part - 'a']);
        Assert.That(allocator.Allocate(48 << 20, "large"), Is.EqualTo(large));
        Assert.That(source.LiveBytes, Is.EqualTo(48 << 20));
    }

    [Test]
    public void A_large_request_takes_the_smallest_free_range_that_holds_it()
    {
        using var allocator = new CachingAllocator(new CountingSource(), "test");
        nint wide = allocator.Allocate(20 << 20, "wide"), wall = allocator.Allocate(2 << 20, "wall");
        nint narrow = allocator.Allocate(6 << 20, "narrow"), end = allocator.Allocate(4 << 20, "end");
        allocator.Free(wide);
        allocator.Free(narrow);
        Assert.That(allocator.Allocate(6 << 20, "a"), Is.EqualTo(narrow));
        Assert.That(allocator.Allocate(8 << 20, "b"), Is.EqualTo(wide));
        Assert.That(wall, Is.Not.EqualTo(end));
    }

    [Test]
    public void Neighboring_segments_stay_apart_so_that_each_goes_back_as_it_came()
    {
        var source = new CountingSource(); // hands out one address right after the other
        using var allocator = new CachingAllocator(source, "test");
        nint first = allocator.Allocate(32 << 20, "a"), second = allocator.Allocate(32 << 20, "b");
        Assert.That(second, Is.EqualTo(first + (32 << 20)));
        allocator.Free(first);
        allocator.Free(second);
        Assert.That(allocator.Allocate(40 << 20, "c"), Is.Not.EqualTo(first));
        allocator.EmptyCache(); // the source checks address and size
        Assert.That((source.LiveBytes, allocator.CachedBytes), Is.EqualTo((40L << 20, 0L)));
    }

    [Test]
    public void Blocks_in_use_never_overlap_whatever_is_asked_for_and_freed([Range(1, 5)] int seed)
    {
        var source = new CountingSource();
        using var allocator = new CachingAllocator(source, "test");
        var random = new Random(seed);
        var live = new List<(nint Address, long Bytes)>();
        for (int i = 0; i < 2000; i++)
        {
            if (live.Count > 0 && random.Next(5) < 2 + live.Count / 20)
            {
                int at = random.Next(live.Count);
                allocator.Free(live[at].Address);
                live.RemoveAt(at);
            }
            else
            {
                long bytes = random.Next(1, 40) << random.Next(21);
                nint address = allocator.Allocate(bytes, "a");
                Assert.That(live.Any(l => address < l.Address + (nint)l.Bytes && l.Address < address + (nint)bytes), Is.False);
                live.Add((address, bytes));
            }
            Assert.That(allocator.LiveBytes + allocator.CachedBytes, Is.EqualTo(source.LiveBytes));
        }
        foreach (var (address, _) in live)
            allocator.Free(address);
        allocator.EmptyCache();
        Assert.That((source.LiveBytes, allocator.LiveBytes, allocator.CachedBytes), Is.EqualTo((0L, 0L, 0L)));
    }

    [Test]
    public void A_block_that_is_freed_twice_or_is_not_known_is_refused()
    {
        using var allocator = new CachingAllocator(new CountingSource(), "test");
        nint block = allocator.Allocate(10, "a");
        allocator.Free(block);
        Assert.That(() => allocator.Free(block), Throws.InvalidOperationException.With.Message.Contains("freed twice"));
        Assert.That(() => allocator.Free(12345), Throws.InvalidOperationException.With.Message.Contains("not handed out"));
    }

    [Test]
    public void When_memory_runs_out_the_cache_is_emptied_and_the_request_tried_again()
    {
        var source = new CountingSource { Limit = 8192 };
        using var allocator = new CachingAllocator(source, "test");
        allocator.Free(allocator.Allocate(6000, "first"));
        Assert.That(allocator.CachedBytes, Is.EqualTo(6144));
        Assert.That(allocator.Allocate(7000, "second"), Is.Not.Zero);
        Assert.That((allocator.CachedBytes, source.LiveBytes), Is.EqualTo((0L, 7168L)));
    }

    [Test]
    public void Out_of_memory_says_who_asked_for_what_and_who_holds_the_rest()
    {
        using var allocator = new CachingAllocator(new CountingSource { Limit = 5 << 20 }, "cuda:0");
        allocator.Allocate(2 << 20, "conv2d");
        allocator.Allocate(1 << 20, "relu");
        Assert.That(() => allocator.Allocate(3 << 20, "batchnorm2d"), Throws.TypeOf<DeviceMemoryException>().With.Message.EqualTo(
            "cuda:0: out of memory: batchnorm2d asked for 4.0 MiB, 3.0 MiB are in use (conv2d 2.0 MiB in 1, relu 1.0 MiB in 1). Use a smaller batch."));
        Assert.That(allocator.LiveBytes, Is.EqualTo(3 << 20));
    }

    [Test]
    public void The_peak_is_the_most_that_was_live_since_it_was_reset()
    {
        using var allocator = new CachingAllocator(new CountingSource(), "test");
        nint a = allocator.Allocate(512, "a"), b = allocator.Allocate(512, "b");
        allocator.Free(a);
        Assert.That((allocator.PeakBytes, allocator.LiveBytes, allocator.LiveBlocks), Is.EqualTo((1024L, 512L, 1)));
        allocator.ResetPeak();
        Assert.That(allocator.PeakBytes, Is.EqualTo(512));
        allocator.Free(b);
        Assert.That(allocator.PeakBytes, Is.EqualTo(512));
    }

    [Test]
    public void The_report_lists_live_bytes_by_owner_the_largest_first()
    {
        using var allocator = new CachingAllocator(new CountingSource(), "test");
        allocator.Allocate(1 << 20, "relu");
        allocator.Allocate(4 << 20, "conv2d");
        allocator.Allocate(1 << 20, "relu");
        Assert.That(allocator.Report(), Is.EqualTo("conv2d 4.0 MiB in 1, relu 2.0 MiB in 2"));
        Assert.That(allocator.Report(1), Is.EqualTo("conv2d 4.0 MiB in 1"));
    }

    [Test]
    public void Disposing_returns_everything_to_the_source()
    {
        var source = new CountingSource();
        var allocator = new CachingAllocator(source, "test");
        allocator.Allocate(100, "live");
        allocator.Free(allocator.Allocate(5000, "cached"));
        allocator.Dispose();
        allocator.Dispose();
        Assert.That((source.LiveBytes, allocator.LiveBytes, allocator.CachedBytes), Is.EqualTo((0L, 0L, 0L)));
    }

    /// <summary>Hands out numbers as addresses, up to a limit, and checks what comes back.</summary>
    private sealed class CountingSource : IBlockSource
    {
        private readonly Dictionary<nint, long> _live = [];
        private nint _next = 4096;

        public long Limit { get; init; } = long.MaxValue;

        public long LiveBytes => _live.Values.Sum();

        public nint Allocate(long bytes)
        {
            if (LiveBytes + bytes > Limit)
                return 0;
            _live.Add(_next, bytes);
            nint address = _next;
            _next += (nint)bytes;
            return address;
        }

        public void Free(nint address, long bytes)
        {
            Assert.That(_live.TryGetValue(address, out long known) && known == bytes, Is.True, "not a live block of that size");
            _live.Remove(address);
        }
    }
}
