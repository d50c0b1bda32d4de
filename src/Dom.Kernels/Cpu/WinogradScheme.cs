namespace Dom.Kernels.Cpu;

/// <summary>One product of small matrices: the weights of a point by the source of a plane, summed in a plane of the target.</summary>
/// <param name="Point">The weights, by row and column of the points they are transformed to.</param>
/// <param name="Source">Plane of the transformed source.</param>
/// <param name="Target">Plane of the sums that are transformed back.</param>
/// <param name="Adds">Whether the product before it goes to the same plane.</param>
internal readonly record struct WinogradProduct(int Point, int Source, int Target, bool Adds);

/// <summary>
/// Which windows a way of computing 3x3 convolutions reads and writes, and which planes of the transformed domain it multiplies. Windows are squares of pixels, the
/// planes of a window a square of points.
/// </summary>
/// <remarks>
/// With stride 2 an output sees the even pixels around it through the outer two taps of a row and an odd pixel through the middle one. Each of the four kinds of pixels
/// (even or odd row, even or odd column) is a convolution of its own with stride 1 and 2x2, 2x1, 1x2 or 1 taps, computed by F(4x4, 2x2) on 5 points a side; where there is
/// one tap, the point at infinity vanishes and 4 points are left. So 9 points a side stand for the source and the weights, 5 for the sums: 81 products
/// in place of 144 multiplications a tile and pair of channels.
/// </remarks>
internal sealed class WinogradScheme
{
    private const int Points = 5, FinitePoints = 4;

    private WinogradScheme(int sourceSide, int sourceStep, int sourcePoints, int targetSide, int targetPoints)
    {
        (SourceSide, SourceStep, TargetSide) = (sourceSide, sourceStep, targetSide);
        (SourcePlanes, TargetPlanes) = (sourcePoints * sourcePoints, targetPoints * targetPoints);
        int side = Math.Max(sourcePoints, targetPoints);
        LargestSide = Math.Max(side, Math.Max(sourceSide, targetSide));
        Products = sourcePoints == targetPoints
            ? [.. Enumerable.Range(0, side * side).Select(plane => new WinogradProduct(plane, plane, plane, false))]
            : [.. StridedProducts(side, gathers: sourcePoints == side)];
        PositionOf = new int[Products.Length];
        for (int i = 0; i < Products.Length; i++)
            PositionOf[Products[i].Point] = i;
    }

    /// <summary>F(4x4, 3x3) for stride 1, also for its input gradient: 6x6 pixels become 4x4 through 36 products.</summary>
    public static WinogradScheme Whole { get; } = new(sourceSide: 6, sourceStep: 4, sourcePoints: 6, targetSide: 4, targetPoints: 6);

    /// <summary>Stride 2 forward: 9x9 pixels become 4x4.</summary>
    public static WinogradScheme Gather { get; } = new(sourceSide: 9, sourceStep: 8, sourcePoints: 9, targetSide: 4, targetPoints: 5);

    /// <summary>Its input gradient: 5x5 pixels become 8x8.</summary>
    public static WinogradScheme Scatter { get; } = new(sourceSide: 5, sourceStep: 4, sourcePoints: 5, targetSide: 8, targetPoints: 9);

    /// <summary>The longest side of a window, a tile or its planes.</summary>
    public int LargestSide { get; }

    /// <summary>Pixels along a side of the window that a tile reads.</summary>
    public int SourceSide { get; }

    /// <summary>Pixels from the window of a tile to that of the next.</summary>
    public int SourceStep { get; }

    /// <summary>Pixels along a side of a tile of the target.</summary>
    public int TargetSide { get; }

    /// <summary>Planes of the transformed source.</summary>
    public int SourcePlanes { get; }

    /// <summary>Planes of the sums, which are transformed back.</summary>
    public int TargetPlanes { get; }

    /// <summary>All products, those that go to the same plane one after the other. Transformed weights lie in this order.</summary>
    public WinogradProduct[] Products { get; }

    /// <summary>Where the weights of a point stand in that order.</summary>
    public int[] PositionOf { get; }

    private static IEnumerable<WinogradProduct> StridedProducts(int side, bool gathers)
    {
        for (int i = 0; i < Points; i++)
            for (int j = 0; j < Points; j++)
                for (int row = i; row < side; row += i < FinitePoints ? Points : side)
                    for (int column = j; column < side; column += j < FinitePoints ? Points : side)
                    {
                        int point = row * side + column, plane = i * Points + j;
                        yield return gathers ? new(point, point, plane, point != plane / Points * side + plane % Points) : new(point, plane, point, false);
                    }
    }
}
