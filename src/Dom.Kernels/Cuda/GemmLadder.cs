using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Cuda;

/// <summary>A rung of the ladder: a kernel that differs from the one below it by one idea.</summary>
/// <param name="Number">From 1, the bottom.</param>
/// <param name="Name">"coalesced".</param>
/// <param name="Idea">What changes against the rung below.</param>
/// <param name="Operands">Type of both operands; the product is f32.</param>
public sealed record GemmRung(int Number, string Name, string Idea, DType Operands)
{
    /// <summary>Multiplications and additions of a product [m, k] [k, n].</summary>
    public static double Operations(int m, int n, int k) => 2.0 * m * n * k;

    /// <summary>Bytes that a product [m, k] [k, n] has to move: each operand once, and the result.</summary>
    public double LeastBytes(int m, int n, int k) => ((double)m * k + (double)k * n) * Operands.Size() + (double)m * n * DType.F32.Size();
}

/// <summary>
/// The product of two matrices, c [m, n] = a [m, k] b [k, n], in six kernels from the formula to tensor cores: the lesson of <c>docs/gpu-ladder.md</c>, kernels in
/// <c>kernels/ladder</c>. Nothing else of the library uses them.
/// </summary>
public static class GemmLadder
{
    /// <summary>The rungs, from the bottom.</summary>
    public static IReadOnlyList<GemmRung> Rungs { get; } =
    [
        new(1, "naive", "a thread an element; a warp takes 32 rows", DType.F32),
        new(2, "coalesced", "a warp takes 32 columns: whole lines", DType.F32),
        new(3, "shared tiles", "32 x 32 elements of a and b in shared memory", DType.F32),
        new(4, "register tiles", "8 x 8 sums a thread, loads of 16 bytes", DType.F32),
        new(5, "asynchronous", "copies two steps ahead, swizzled lines", DType.F32),
        new(6, "tensor cores", "mma.sync on bf16, sums in f32", DType.BF16),
    ];

    /// <summary>Queues a rung on a GPU. Not from two threads at once: rungs share scratch memory with the backend's other calls.</summary>
    /// <param name="backend">The device.</param>
    /// <param name="rung">One of <see cref="Rungs"/>.</param>
    /// <param name="a">[m, k], row-major, of the rung's type.</param>
    /// <param name="b">[k, n], row-major, of the rung's type.</param>
    /// <param name="c">[m, n] f32, overwritten.</param>
    /// <param name="m">Rows of c.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Length of the sums.</param>
    /// <exception cref="ArgumentException">A size is below 1, or a view is of another length or type.</exception>
    public static void Run(CudaBackend backend, GemmRung rung, View a, View b, View c, int m, int n, int k)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(rung);
        if (Math.Min(Math.Min(m, n), k) < 1)
            throw new ArgumentException($"ladder, {rung.Name}: the sizes are {m}, {n} and {k}; each must be at least 1.");
        Require(rung, "a", a, rung.Operands, m, k);
        Require(rung, "b", b, rung.Operands, k, n);
        Require(rung, "c", c, DType.F32, m, n);
        backend.RunRung(rung.Number, a, b, c, m, n, k);
    }

    private static void Require(GemmRung rung, string name, View view, DType type, int rows, int columns)
    {
        if (view.Type != type || view.Length != (long)rows * columns)
            throw new ArgumentException($"ladder, {rung.Name}: {name} is {view}; it must be {type.ToString().ToLowerInvariant()}[{(long)rows * columns}].");
    }
}
