using System.Runtime.CompilerServices;

namespace Dom.Kernels.Cpu.Simd;

/// <summary>
/// Where the tiles of a kernel find their operands. A tile of 4 (or 8) rows is [segments, rows, length, targets of rows 0..3], then for each segment
/// [panel number, sources of rows 0..3]; sources and targets are offsets in floats, -1 is a row of zeros.
/// </summary>
/// <remarks>Depends on sizes alone, so it is built once for a layer and kept. Pinned: kernels read it through a pointer.</remarks>
internal sealed unsafe class TileTable
{
    /// <summary>Most rows of a tile.</summary>
    public const int MostRows = 8;

    /// <summary>Where the number of segments stands.</summary>
    public const int Segments = 0;

    /// <summary>Where the number of rows that are stored stands: 1 .. the rows of a tile.</summary>
    public const int Rows = 1;

    /// <summary>Where the length of the segments stands.</summary>
    public const int Length = 2;

    /// <summary>Where the target offsets stand.</summary>
    public const int Targets = 3;

    private readonly int[] _entries;
    private readonly int[] _starts;

    private TileTable(int[] entries, int[] starts)
    {
        _entries = entries;
        _starts = starts;
    }

    /// <summary>Number of tiles.</summary>
    public int Tiles => _starts.Length;

    /// <summary>The tile with this number; the following ones come behind it.</summary>
    public int* At(int tile) => (int*)Unsafe.AsPointer(ref _entries[_starts[tile]]);

    /// <summary>Integers before the first segment of a tile of so many rows.</summary>
    public static int Header(int rows) => Targets + rows;

    /// <summary>Integers of a segment of a tile of so many rows.</summary>
    public static int Segment(int rows) => 1 + rows;

    /// <summary>Collects tiles of <paramref name="tileRows"/> rows.</summary>
    public sealed class Builder(int tileRows)
    {
        private readonly List<int> _entries = [];
        private readonly List<int> _starts = [];

        /// <summary>Tiles so far.</summary>
        public int Tiles => _starts.Count;

        /// <summary>Begins a tile whose rows go to <paramref name="targets"/> (1 to all of them).</summary>
        public void AddTile(int length, ReadOnlySpan<int> targets)
        {
            _starts.Add(_entries.Count);
            _entries.AddRange([0, targets.Length, length]);
            AddRows(targets);
        }

        /// <summary>Adds a segment to the last tile; missing rows repeat the last one.</summary>
        public void AddSegment(int panel, ReadOnlySpan<int> sources)
        {
            _entries[_starts[^1] + Segments]++;
            _entries.Add(panel);
            AddRows(sources);
        }

        /// <summary>The finished table.</summary>
        public TileTable Build()
        {
            var entries = GC.AllocateUninitializedArray<int>(Math.Max(1, _entries.Count), pinned: true);
            _entries.CopyTo(entries);
            return new TileTable(entries, [.. _starts]);
        }

        private void AddRows(ReadOnlySpan<int> rows)
        {
            for (int i = 0; i < tileRows; i++)
                _entries.Add(rows[Math.Min(i, rows.Length - 1)]);
        }
    }
}
