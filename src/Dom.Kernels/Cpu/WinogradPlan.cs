using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// Sizes of the transformed domain of a convolution. Weights are [product][block of target channels][source channel][target channel of the block], the
/// source of a block of tiles [plane][tile][source channel], its products [plane][tile][target channel]; channels are padded to whole vectors.
/// </summary>
internal sealed class WinogradPlan
{
    /// <summary>Most tiles of a block. More read the weights less often; fewer keep a block in the second-level cache.</summary>
    public const int MostTiles = 64;

    /// <summary>Source channels whose weights are transformed at a time.</summary>
    public const int WeightChunk = 16;

    private const int FewestTiles = 32, ChannelsPerTile = 8; // measured: 24 to 32 tiles are best at 64 channels, 48 at 256, 64 to 128 at 512
    private const int ChunksInCache = 4; // 36 planes of 64x64 weights are 576 KiB
    private const long FewestStationaryWeights = 1L << 20, MostStationarySource = 3L << 20;
    private const int PlaneGap = 16; // planes of a power of two would share the sets of a cache

    public WinogradPlan(WinogradMap map, SimdWidth widest)
    {
        Map = map;
        Shape = TileShape.Of(widest, map.TargetChannels);
        SourcePitch = Shape.PaddedWidth(map.SourceChannels);
        TargetPitch = Shape.PaddedWidth(map.TargetChannels);
        Table = Tiles(TargetPitch);
        BlockTable = Tiles(Shape.Width);
    }

    public WinogradMap Map { get; }

    /// <summary>Tile of the product: some tiles of the image by a block of target channels.</summary>
    public TileShape Shape { get; }

    /// <summary>Source channels, padded.</summary>
    public int SourcePitch { get; }

    /// <summary>Target channels, padded.</summary>
    public int TargetPitch { get; }

    /// <summary>Floats of the transformed weights of a product.</summary>
    public long WeightPlane => (long)Map.SourceChannels * TargetPitch + PlaneGap;

    /// <summary>Floats of all transformed weights.</summary>
    public long WeightFloats => Map.Scheme.Products.Length * WeightPlane;

    /// <summary>The products of <see cref="MostTiles"/> tiles in one plane.</summary>
    public TileTable Table { get; }

    /// <summary>Tiles of a block when so many threads share the work; results do not depend on it.</summary>
    public int BlockTiles(int threads)
    {
        int share = (Map.Tiles + threads - 1) / threads, most = Math.Clamp((SourcePitch + TargetPitch) / ChannelsPerTile, FewestTiles, MostTiles);
        return Math.Min(most / Shape.Rows * Shape.Rows, RoundUp(share));
    }

    /// <summary>A row of zeros as long as a window of the source.</summary>
    public int ZeroFloats => Map.Scheme.SourceSide * SourcePitch;

    /// <summary>
    /// Whether the weights of a block of target channels are transformed where they are used (<see cref="WinogradStationaryJob{TSimd,TVector}"/>): where
    /// all of them together would not stay in a cache, and all windows of the source do.
    /// </summary>
    public bool HasFewTiles => WeightFloats >= FewestStationaryWeights
        && Map.Scheme.SourcePlanes * SourcePlane(AllTiles) <= MostStationarySource;

    /// <summary>All tiles, and as many behind the last as complete its rows.</summary>
    public int AllTiles => RoundUp(Map.Tiles);

    /// <summary>The products of <see cref="MostTiles"/> tiles in one plane with one block of target channels.</summary>
    public TileTable BlockTable { get; }

    /// <summary>
    /// Chunks of source channels whose transformed weights a task holds at a time: all, or with so few tiles that their products leave room for
    /// them in the second-level cache, as many as fit there.
    /// </summary>
    public int BlockChunks => Map.Tiles <= FewestTiles ? ChunksInCache : (Map.SourceChannels + WeightChunk - 1) / WeightChunk;

    /// <summary>Floats of the transformed weights of a product that a task holds.</summary>
    public long BlockWeightPlane => (long)BlockChunks * WeightChunk * Shape.Width + PlaneGap;

    /// <summary>Pieces of <see cref="BlockChunks"/> chunks of source channels.</summary>
    public int Pieces => ((Map.SourceChannels + WeightChunk - 1) / WeightChunk + BlockChunks - 1) / BlockChunks;

    /// <summary>Floats of the transformed weights that a task holds at a time: a block of target channels and a piece of source channels in all products.</summary>
    public long PanelFloats => Map.Scheme.Products.Length * BlockWeightPlane;

    /// <summary>Floats of all of them, [block][piece][product][source channel][target channel].</summary>
    public long AllPanels => PanelFloats * Pieces * Shape.Blocks(Map.TargetChannels);

    /// <summary>Floats of a plane of the products of so many tiles with one block of target channels.</summary>
    public long BlockTargetPlane(int tiles) => (long)tiles * Shape.Width + PlaneGap;

    /// <summary>
    /// Tiles that share the transformed weights of a block: all, unless there are fewer blocks than threads; results do not depend on it.
    /// </summary>
    public int GroupTiles(int threads)
    {
        int blocks = Shape.Blocks(Map.TargetChannels), groups = Math.Clamp(threads / blocks, 1, Math.Max(1, Map.Tiles / FewestTiles));
        return RoundUp((Map.Tiles + groups - 1) / groups);
    }

    /// <summary>Floats of a plane of the source for blocks of so many tiles.</summary>
    public long SourcePlane(int tiles) => (long)tiles * SourcePitch + PlaneGap;

    /// <summary>Floats of a plane of products for blocks of so many tiles.</summary>
    public long TargetPlane(int tiles) => (long)tiles * TargetPitch + PlaneGap;

    private int RoundUp(int tiles) => (tiles + Shape.Rows - 1) / Shape.Rows * Shape.Rows;

    private TileTable Tiles(int targetPitch)
    {
        var table = new TileTable.Builder(Shape.Rows);
        Span<int> rows = stackalloc int[Shape.Rows];
        for (int tile = 0; tile < MostTiles; tile += Shape.Rows)
        {
            for (int i = 0; i < rows.Length; i++)
                rows[i] = (tile + i) * targetPitch;
            table.AddTile(1, rows);
            for (int i = 0; i < rows.Length; i++)
                rows[i] = (tile + i) * SourcePitch;
            table.AddSegment(0, rows);
        }
        return table.Build();
    }
}
