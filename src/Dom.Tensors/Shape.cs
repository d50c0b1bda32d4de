namespace Dom.Tensors;

/// <summary>Sizes of the axes of a tensor, outermost first; rank 0 (a number) to 4 ([N, H, W, C]).</summary>
public readonly record struct Shape
{
    private readonly int _0, _1, _2, _3;

    private Shape(ReadOnlySpan<int> sizes)
    {
        Rank = sizes.Length;
        if (Rank > 0) _0 = sizes[0];
        if (Rank > 1) _1 = sizes[1];
        if (Rank > 2) _2 = sizes[2];
        if (Rank > 3) _3 = sizes[3];
    }

    /// <summary>Number of axes.</summary>
    public int Rank { get; }

    /// <summary>A shape of the given sizes.</summary>
    /// <exception cref="ShapeException">More than four axes, a negative size, or more than 2^31 - 1 elements.</exception>
    public static Shape Of(params ReadOnlySpan<int> sizes)
    {
        if (sizes.Length > 4)
            throw new ShapeException($"a shape has at most 4 axes, got {sizes.Length}.");
        long count = 1;
        foreach (int size in sizes)
        {
            if (size < 0)
                throw new ShapeException($"a size cannot be negative: [{string.Join(", ", sizes.ToArray())}].");
            count *= size;
            if (count > int.MaxValue)
                throw new ShapeException($"[{string.Join(", ", sizes.ToArray())}] has more than {int.MaxValue} elements.");
        }
        return new Shape(sizes);
    }

    /// <summary>Size of axis <paramref name="axis"/>; negative counts from the end.</summary>
    public int this[int axis] => (axis < 0 ? axis + Rank : axis) switch
    {
        0 when Rank > 0 => _0,
        1 when Rank > 1 => _1,
        2 when Rank > 2 => _2,
        3 when Rank > 3 => _3,
        _ => throw new ShapeException($"axis {axis} of {this}: there are {Rank} axes."),
    };

    /// <summary>Number of elements.</summary>
    public int Count
    {
        get
        {
            int count = 1;
            for (int axis = 0; axis < Rank; axis++)
                count *= this[axis];
            return count;
        }
    }

    /// <summary>The sizes as an array.</summary>
    public int[] ToArray()
    {
        var sizes = new int[Rank];
        for (int axis = 0; axis < Rank; axis++)
            sizes[axis] = this[axis];
        return sizes;
    }

    /// <summary>"[2, 3]".</summary>
    public override string ToString() => $"[{string.Join(", ", ToArray())}]";
}
