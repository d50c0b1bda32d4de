using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[n, j] = low + (high - low) u, where u is uniform number j of the stream for sample SampleIds[n].</summary>
/// <remarks>
/// y [Rows, RowLength], SampleIds [Rows] i32. What a sample gets depends on its id alone, not on its place in a batch. With u in [0, 1) the
/// result is in [low, high], high itself only by rounding.
/// </remarks>
public readonly record struct UniformNoise(
    View Y, View SampleIds, RandomStream Stream, int Rows, int RowLength, float Low, float High) : IKernelCall;

/// <summary>y[n, j] = mean + std z, where z is normal number j of the stream for sample SampleIds[n].</summary>
public readonly record struct NormalNoise(
    View Y, View SampleIds, RandomStream Stream, int Rows, int RowLength, float Mean, float Std) : IKernelCall;

/// <summary>Random tensors whose rows are tied to samples: the same for any batch size, order and number of threads.</summary>
public static class Noise
{
    /// <summary>Numbers uniform between <paramref name="low"/> and <paramref name="high"/>.</summary>
    /// <param name="sampleIds">[N] i32, not negative.</param>
    /// <param name="shape">[N, ...].</param>
    /// <param name="stream">What the numbers are for; each row adds its sample id.</param>
    /// <param name="low">Lower end.</param>
    /// <param name="high">Upper end.</param>
    /// <param name="type">Element type of the result.</param>
    /// <exception cref="ShapeException">There is not one id a row.</exception>
    public static Tensor Uniform(
        Tensor sampleIds, Shape shape, RandomStream stream, float low = 0, float high = 1, DType type = DType.F32)
    {
        int rows = CheckedRows("uniform noise", sampleIds, shape);
        var y = Tensor.Empty(shape, type, sampleIds.Backend, "uniform noise");
        sampleIds.Backend.Run(new UniformNoise(y.Write, sampleIds.Read, stream, rows, RowLength(shape), low, high));
        return y;
    }

    /// <summary>Normal numbers; parameters as in <see cref="Uniform"/>.</summary>
    /// <exception cref="ShapeException">There is not one id a row.</exception>
    public static Tensor Normal(
        Tensor sampleIds, Shape shape, RandomStream stream, float mean = 0, float std = 1, DType type = DType.F32)
    {
        int rows = CheckedRows("normal noise", sampleIds, shape);
        var y = Tensor.Empty(shape, type, sampleIds.Backend, "normal noise");
        sampleIds.Backend.Run(new NormalNoise(y.Write, sampleIds.Read, stream, rows, RowLength(shape), mean, std));
        return y;
    }

    /// <summary>Number of rows, after checking that each has an id.</summary>
    internal static int CheckedRows(string name, Tensor sampleIds, Shape shape)
    {
        if (sampleIds.Type != DType.I32 || sampleIds.Shape.Rank != 1)
            throw new ShapeException($"{name}: sample ids must be i32 [N], got {sampleIds}.");
        if (shape.Rank == 0 || shape[0] != sampleIds.Count)
            throw new ShapeException($"{name}: {sampleIds.Count} sample ids for rows of {shape}; each row needs one.");
        return shape[0];
    }

    /// <summary>Elements of a row.</summary>
    internal static int RowLength(Shape shape) => shape[0] == 0 ? 0 : shape.Count / shape[0];
}
