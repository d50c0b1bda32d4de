using Dom.Tensors;

namespace Dom.Kernels.Cuda;

/// <summary>
/// A shape of tile that <c>kernels/tiles.h</c> is compiled for: what a block computes. The same shapes exist for f32 and bf16, with other numbers of threads.
/// </summary>
/// <param name="Rows">Rows of the tile, BM.</param>
/// <param name="Columns">Columns of the tile, BN.</param>
/// <param name="Stages">Steps that are in shared memory at a time.</param>
internal readonly record struct TileShape(int Rows, int Columns, int Stages)
{
    private const int LineBytes = 128;

    public static TileShape Large { get; } = new(128, 128, 3);

    public static TileShape Narrow { get; } = new(128, 64, 3);

    public static TileShape Small { get; } = new(64, 64, 4);

    public static TileShape Flat { get; } = new(64, 128, 3);

    /// <summary>The weight gradient of a convolution by two warpgroups.</summary>
    public static TileShape Hopper { get; } = new(128, 192, 5);

    /// <summary>Dynamic shared memory of a block.</summary>
    public int SharedBytes => Stages * (Rows + Columns) * LineBytes;

    /// <summary>Blocks that cover a matrix.</summary>
    public long Blocks(long rows, long columns) => ((rows + Rows - 1) / Rows) * ((columns + Columns - 1) / Columns);

    /// <summary>Threads of a block.</summary>
    public static int Threads(DType type) => type == DType.BF16 ? 128 : 256;

    /// <summary>Elements in 16 bytes: what channels must be a multiple of.</summary>
    public static int Chunk(DType type) => 16 / type.Size();

    /// <summary>Positions on the common axis that a step multiplies: 128 bytes.</summary>
    public static int Step(DType type) => LineBytes / type.Size();

    /// <summary><paramref name="count"/> rounded up to whole chunks.</summary>
    public static int Padded(int count, DType type) => (count + Chunk(type) - 1) / Chunk(type) * Chunk(type);
}
