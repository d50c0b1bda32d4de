using Dom.Kernels.Cpu.Simd;

namespace Dom.Kernels.Cpu;

/// <summary>
/// How the gradient of weights is summed in the transformed domain: for each product of planes that the scheme names the transformed inputs by the
/// transformed output gradients, over all tiles. Tiles come in batches, whose transforms [plane][vector of channels][tile][lane] are kept in shared
/// memory; sums are [plane][block of outputs][input][output of the block].
/// </summary>
/// <remarks>
/// Where the sums of all planes are small, tiles are dealt to a fixed number of groups instead, each with sums of its own
/// (<see cref="WinogradGradientGroupJob{TSimd,TVector}"/>): a thread then uses what it transformed while its own cache holds it.
/// A sum has one owner and goes through its tiles in order, by runs that are summed apart; groups are added in order: the same bits on any number of threads.
/// </remarks>
internal sealed class WinogradWeightGradientPlan
{
    /// <summary>Tiles whose products are summed in registers before they are added to the sums; their operands fit the first-level cache.</summary>
    public const int RunTiles = 64;

    /// <summary>Tiles of a task that transforms.</summary>
    public const int TaskTiles = 16;

    private const int PlaneGap = 16; // planes of a power of two would share the sets of a cache
    private const long BatchFloats = 2L << 20;
    private const long FewestFloatsOfBlocks = 1L << 20;
    private const int FewestTiles = 2 * RunTiles;

    // Measured: with sums of 2.4 MB (128->128) 17.6 ms by batches, 14.3 to 15.4 by 16 groups, 13.5 by 8; of 9.4 MB (256->256) 14.2 by batches, 16.0 by groups. While sums of a
    // thread stay in its second-level cache it costs nothing to have more groups, and more threads find work.
    private const int GroupsOfSmallSums = 16, GroupsOfLargeSums = 8;
    private const long SmallSums = 160L << 10, LargeSums = 1L << 20;

    public WinogradWeightGradientPlan(WinogradMap map, SimdWidth widest)
    {
        Map = map;
        Shape = new TileShape(widest, SimdSupport.Registers >= 32 ? 4 : 2);
        InputPitch = Shape.PaddedWidth(map.SourceChannels);
        OutputPitch = Shape.PaddedWidth(map.TargetChannels);
        int groups = GroupFloats <= SmallSums ? GroupsOfSmallSums : GroupFloats <= LargeSums ? GroupsOfLargeSums : 0;
        if (groups > 0 && map.Tiles >= groups * RunTiles)
        {
            int runs = (map.Tiles + RunTiles - 1) / RunTiles;
            TilesPerGroup = (runs + groups - 1) / groups * RunTiles;
            Groups = (map.Tiles + TilesPerGroup - 1) / TilesPerGroup;
            BatchTiles = RunTiles;
            return;
        }
        long fitting = BatchFloats / (InputPlanes * InputPitch + OutputPlanes * OutputPitch) / RunTiles * RunTiles;
        BatchTiles = (int)Math.Min(Math.Max(fitting, FewestTiles), map.Tiles);
    }

    public WinogradMap Map { get; }

    /// <summary>Tile of the product: 4 inputs by a block of outputs.</summary>
    public TileShape Shape { get; }

    /// <summary>Groups of tiles with sums of their own; 0 where all tiles are one.</summary>
    public int Groups { get; }

    /// <summary>Tiles of a group; the last may have fewer.</summary>
    public int TilesPerGroup { get; }

    /// <summary>Planes of the transformed inputs.</summary>
    public int InputPlanes => Map.Scheme.SourcePlanes;

    /// <summary>Planes of the transformed output gradients.</summary>
    public int OutputPlanes => Map.Scheme.TargetPlanes;

    /// <summary>Planes of the sums.</summary>
    public int SumPlanes => Map.Scheme.Products.Length;

    /// <summary>Floats of all sums, or of those of a group.</summary>
    public long GroupFloats => SumPlanes * SumPlane;

    /// <summary>Input channels, padded to whole vectors.</summary>
    public int InputPitch { get; }

    /// <summary>Output channels, padded to whole vectors.</summary>
    public int OutputPitch { get; }

    /// <summary>
    /// Tiles of a batch: many, so that the sums are seldom read again, but not more than the last-level cache holds; in a group as many as are summed in
    /// registers.
    /// </summary>
    public int BatchTiles { get; }

    /// <summary>Floats of a plane of transformed inputs.</summary>
    public long InputPlane => (long)BatchTiles * InputPitch + PlaneGap;

    /// <summary>Floats of a plane of transformed output gradients.</summary>
    public long OutputPlane => (long)BatchTiles * OutputPitch + PlaneGap;

    /// <summary>Floats of a plane of sums.</summary>
    public long SumPlane => (long)InputPitch * OutputPitch + PlaneGap;

    /// <summary>Floats of shared memory.</summary>
    public long SharedFloats => InputPlanes * InputPlane + OutputPlanes * OutputPlane + (FinishesByBlocks ? 0 : GroupFloats);

    /// <summary>
    /// Whether the sums are finished block by block (<see cref="WinogradGradientBlockJob{TSimd,TVector}"/>): one batch holds all tiles, and the sums of all
    /// planes are more than would stay in a cache.
    /// </summary>
    public bool FinishesByBlocks => BatchTiles == Map.Tiles && GroupFloats >= FewestFloatsOfBlocks;

    /// <summary>Blocks of outputs.</summary>
    public int OutputBlocks => Shape.Blocks(Map.TargetChannels);
}
