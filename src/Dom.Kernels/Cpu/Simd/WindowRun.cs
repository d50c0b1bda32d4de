namespace Dom.Kernels.Cpu.Simd;

/// <summary>What <see cref="WindowKernel{TSimd,TVector}"/> and its twin for few columns work on: tiles that share a window of pixels.</summary>
internal unsafe struct WindowRun
{
    /// <summary>Number of tiles.</summary>
    public int Tiles;

    /// <summary>Offsets in floats, one for each row of each tile: where it begins, counted from <see cref="X"/>.</summary>
    public int* Offsets;

    /// <summary>The first pixel of the first row of the window.</summary>
    public float* X;

    /// <summary>Floats from a pixel to the next in its row.</summary>
    public nint PixelPitch;

    /// <summary>Floats from the first pixel of a row to that of the next.</summary>
    public nint RowPitch;

    /// <summary>The columns of the first pixel; those of all others follow, row after row.</summary>
    public float* Dy;

    /// <summary>Floats from the columns of a pixel to those of the next.</summary>
    public nint DyPitch;

    /// <summary>Rows of pixels.</summary>
    public int Rows;

    /// <summary>Pixels in a row.</summary>
    public int PixelsPerRow;

    /// <summary>Tiles as wide as the columns, one after the other.</summary>
    public float* Target;

    /// <summary>Whether sums are added to the target, or replace it.</summary>
    public bool Adds;

    /// <summary>What the next run will read: fetched meanwhile, a share with each tile.</summary>
    public float* Next;

    /// <summary>Floats at <see cref="Next"/>.</summary>
    public int NextFloats;
}
