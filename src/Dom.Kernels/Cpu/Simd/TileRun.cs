namespace Dom.Kernels.Cpu.Simd;

/// <summary>What <see cref="TileKernel{TSimd,TVector,TColumns,TFetch}"/> works on: a run of tiles that share their sources, panels and target.</summary>
internal unsafe struct TileRun
{
    /// <summary>Tiles as <see cref="TileTable"/> lays them out.</summary>
    public int* Table;

    /// <summary>Number of tiles.</summary>
    public int Tiles;

    /// <summary>What the source offsets of the table count from.</summary>
    public float* Source;

    /// <summary>At least <see cref="Length"/> zeros: the source of offset -1.</summary>
    public float* Zeros;

    /// <summary>Rows of the right-hand matrix, each as wide as the tile.</summary>
    public float* Panel;

    /// <summary>Floats from one panel number to the next.</summary>
    public nint PanelPitch;

    /// <summary>Products that each segment of length 1 in the table stands for.</summary>
    public int Length;

    /// <summary>What the target offsets of the table count from.</summary>
    public float* Target;

    /// <summary>Whether sums are added to the target, or replace it.</summary>
    public bool Adds;

    /// <summary>Whether sums go past the caches: the target's rows then are whole vectors, aligned to their size.</summary>
    public bool Streams;

    /// <summary>Whether a tile fetches the sources of the next one: for tiles of one segment, which share none.</summary>
    public bool Fetches;

    /// <summary>Lines that each segment fetches, if its kernel does.</summary>
    public int NextLines;

    /// <summary>
    /// What will be read after this run, fetched a share with each tile: rows of <see cref="NextFloats"/>, a
    /// <see cref="NextPitch"/> apart.
    /// </summary>
    public float* Next;

    /// <summary>Floats from a row at <see cref="Next"/> to the following one.</summary>
    public nint NextPitch;

    /// <summary>Floats of each of these rows.</summary>
    public int NextFloats;

    /// <summary>How many of these rows are left.</summary>
    public int NextRows;

    /// <summary>How many of them a tile fetches.</summary>
    public int NextRowsPerTile;

    /// <summary>Columns of the tile that exist in the target; the others are computed and dropped.</summary>
    public int Columns;

    /// <summary>Room for the rows of a tile, used where <see cref="Columns"/> is less than the tile's width.</summary>
    public float* Edge;
}
