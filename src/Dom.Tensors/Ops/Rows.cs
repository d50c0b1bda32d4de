using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[n, :] = source[rows[n], :], for elements of any type.</summary>
/// <remarks>Source [samples, RowLength]; Rows i32 [RowCount], not checked here; Y [RowCount, RowLength] of the source's type.</remarks>
public readonly record struct GatherRows(View Source, View Rows, View Y, int RowCount, int RowLength) : IKernelCall;

/// <summary>target[rows[n], :] = source[n, :], for elements of any type; the other rows of the target stay.</summary>
/// <remarks>Rows i32 [RowCount], all different, not checked here.</remarks>
public readonly record struct ScatterRows(View Source, View Rows, View Target, int RowCount, int RowLength) : IKernelCall;

/// <summary>y[n, :] = (1 - weights[n]) a[n, :] + weights[n] b[n, :]; exactly a where the weight is 0 and exactly b where it is 1.</summary>
public readonly record struct BlendRows(View A, View B, View Weights, View Y, int RowCount, int RowLength) : IKernelCall;

/// <summary>Picks, replaces and mixes the samples of a batch. A row is everything behind the first axis.</summary>
public static class Rows
{
    /// <summary>The named rows of a tensor, in their order: [N, ...].</summary>
    /// <param name="source">[M, ...], elements of any type.</param>
    /// <param name="rows">i32 [N], each in 0 .. M - 1 (not checked); on a tape that tracks the source they must be all different.</param>
    /// <exception cref="ShapeException">The source is a number, or the rows are not i32 [N].</exception>
    public static Tensor Gather(Tensor source, Tensor rows)
    {
        CheckRows("gather", source, rows);
        var y = Tensor.Empty(WithRows(source.Shape, rows.Count), source.Type, source.Backend, "gather");
        source.Backend.Run(new GatherRows(source.Read, rows.Read, y.Write, rows.Count, RowLength(source)));
        if (Tape.Tracks(source))
            Tape.Record(new GatherOp(y, source, rows));
        return y;
    }

    /// <summary>Overwrites the named rows of <paramref name="target"/> with those of <paramref name="source"/>; not recorded on a tape.</summary>
    /// <param name="source">[N, ...], elements of any type.</param>
    /// <param name="rows">i32 [N], each in 0 .. M - 1 and all different (not checked).</param>
    /// <param name="target">[M, ...], of the source's type.</param>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static void Scatter(Tensor source, Tensor rows, Tensor target)
    {
        CheckRows("scatter", source, rows);
        if (source.Shape[0] != rows.Count)
            throw new ShapeException($"scatter: the source {source.Shape} has {source.Shape[0]} rows, {rows.Count} row numbers came.");
        if (target.Shape.Rank == 0 || target.Type != source.Type || WithRows(target.Shape, rows.Count) != source.Shape || target.Shape[0] < rows.Count)
            throw new ShapeException($"scatter: the rows of {source} do not fit the target {target}; type and all axes but the first must agree.");
        source.Backend.Run(new ScatterRows(source.Read, rows.Read, target.ReadWrite, rows.Count, RowLength(source)));
    }

    /// <summary>(1 - w) a + w b, row by row: [N, ...].</summary>
    /// <param name="a">[N, ...].</param>
    /// <param name="b">Of the shape and type of a.</param>
    /// <param name="weights">[N], f32: 0 takes a, 1 takes b, exactly; no gradient flows to them.</param>
    /// <exception cref="ShapeException">The shapes or types do not fit.</exception>
    public static Tensor Blend(Tensor a, Tensor b, Tensor weights)
    {
        if (a.Shape.Rank == 0 || a.Shape != b.Shape || a.Type != b.Type || !a.Type.IsFloat())
            throw new ShapeException($"blend: {a} and {b} must be real numbers [N, ...] of one shape and type.");
        if (weights.Shape != Shape.Of(a.Shape[0]) || weights.Type != a.Type.Accumulator())
            throw new ShapeException($"blend: {a.Shape} needs weights f32 [{a.Shape[0]}], one for each row; got {weights}.");
        var y = Tensor.Empty(a.Shape, a.Type, a.Backend, "blend");
        a.Backend.Run(new BlendRows(a.Read, b.Read, weights.Read, y.Write, a.Shape[0], RowLength(a)));
        if (Tape.Tracks(a) || Tape.Tracks(b))
            Tape.Record(new BlendOp(y, a, b, weights));
        return y;
    }

    private static void CheckRows(string name, Tensor source, Tensor rows)
    {
        if (source.Shape.Rank == 0)
            throw new ShapeException($"{name}: the source must be [N, ...], got a number.");
        if (rows.Shape.Rank != 1 || rows.Type != DType.I32)
            throw new ShapeException($"{name}: the row numbers must be i32 [N], got {rows}.");
    }

    private static Shape WithRows(Shape shape, int rows)
    {
        int[] sizes = shape.ToArray();
        sizes[0] = rows;
        return Shape.Of(sizes);
    }

    private static int RowLength(Tensor tensor) => tensor.Shape[0] == 0 ? 0 : tensor.Count / tensor.Shape[0];

    private sealed class GatherOp : Op
    {
        private readonly Tensor _rows;

        public GatherOp(Tensor y, Tensor source, Tensor rows) : base("gather", y, source) => _rows = Save(rows);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var dsource = gradients.Allocate(Input(0));
            Backend.Run(new Fill(dsource.Write, 0));
            Backend.Run(new ScatterRows(dy.Read, _rows.Read, dsource.ReadWrite, _rows.Count, RowLength(dsource)));
            gradients.AddOwned(Input(0), dsource);
        }
    }

    private sealed class BlendOp : Op
    {
        private readonly Tensor _weights;

        public BlendOp(Tensor y, Tensor a, Tensor b, Tensor weights) : base("blend", y, a, b) => _weights = Save(weights);

        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            // da = (1 - w) dy and db = w dy are blends of dy with nothing.
            var nothing = Filled.Create(dy.Shape, 0, Backend, dy.Type);
            if (Needs(0))
                AddBlend(0, dy, nothing, gradients);
            if (Needs(1))
                AddBlend(1, nothing, dy, gradients);
        }

        private void AddBlend(int input, Tensor a, Tensor b, Gradients gradients)
        {
            var gradient = gradients.Allocate(Input(input));
            Backend.Run(new BlendRows(a.Read, b.Read, _weights.Read, gradient.Write, a.Shape[0], RowLength(a)));
            gradients.AddOwned(Input(input), gradient);
        }
    }
}
