using Dom.Tensors.Autodiff;
using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>C[m, n] = sum over k of op(A)[m, k] op(B)[k, n], all row-major; C is overwritten.</summary>
/// <param name="A">[M, K], or [K, M] if <paramref name="TransposeA"/> is 1.</param>
/// <param name="B">[K, N], or [N, K] if <paramref name="TransposeB"/> is 1.</param>
/// <param name="C">[M, N]; zeros if K is 0.</param>
/// <param name="M">Rows of C.</param>
/// <param name="N">Columns of C.</param>
/// <param name="K">Length of the sums.</param>
/// <param name="TransposeA">1 if A is stored transposed, else 0.</param>
/// <param name="TransposeB">1 if B is stored transposed, else 0.</param>
public readonly record struct Gemm(View A, View B, View C, int M, int N, int K, int TransposeA, int TransposeB) : IKernelCall
{
    /// <summary>The matrix product op(a) op(b).</summary>
    /// <param name="a">[M, K], or [K, M] with <paramref name="transposeA"/>.</param>
    /// <param name="b">[K, N], or [N, K] with <paramref name="transposeB"/>.</param>
    /// <param name="transposeA">Whether a is used transposed.</param>
    /// <param name="transposeB">Whether b is used transposed.</param>
    /// <exception cref="ShapeException">a or b is not a matrix, their inner sizes differ, or their types do.</exception>
    public static Tensor Apply(Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        if (a.Shape.Rank != 2 || b.Shape.Rank != 2)
            throw new ShapeException($"gemm: both operands must be matrices, got {a.Shape} and {b.Shape}.");
        if (a.Type != b.Type)
            throw new ShapeException($"gemm: the operands must be of one type, got {a} and {b}; cast one of them.");
        int m = a.Shape[transposeA ? 1 : 0], k = a.Shape[transposeA ? 0 : 1], n = b.Shape[transposeB ? 0 : 1];
        int inner = b.Shape[transposeB ? 1 : 0];
        if (k != inner)
            throw new ShapeException(
                $"gemm: {a.Shape}{(transposeA ? " transposed" : "")} has {k} columns, {b.Shape}{(transposeB ? " transposed" : "")} has {inner} rows; they must agree.");
        var c = Tensor.Empty(Shape.Of(m, n), a.Type, a.Backend, "gemm");
        a.Backend.Run(new Gemm(a.Read, b.Read, c.Write, m, n, k, transposeA ? 1 : 0, transposeB ? 1 : 0));
        if (Tape.Tracks(a) || Tape.Tracks(b))
            Tape.Record(new GemmOp(c, a, b, (m, n, k), transposeA ? 1 : 0, transposeB ? 1 : 0));
        return c;
    }

    private sealed class GemmOp : Op
    {
        private readonly Tensor? _a, _b;
        private readonly (int M, int N, int K) _sizes;
        private readonly int _transposeA, _transposeB;

        public GemmOp(Tensor c, Tensor a, Tensor b, (int M, int N, int K) sizes, int transposeA, int transposeB) : base("gemm", c, a, b)
        {
            (_sizes, _transposeA, _transposeB) = (sizes, transposeA, transposeB);
            _b = Needs(0) ? Save(b) : null;
            _a = Needs(1) ? Save(a) : null;
        }

        // d op(A) = dC op(B)^T and d op(B) = op(A)^T dC; where an operand is stored transposed, the transposed product is written instead.
        protected internal override void Backward(Tensor dy, Gradients gradients)
        {
            var (m, n, k) = _sizes;
            if (_b is not null)
            {
                var da = gradients.Allocate(Input(0));
                Backend.Run(_transposeA == 0
                    ? new Gemm(dy.Read, _b.Read, da.Write, m, k, n, 0, 1 - _transposeB)
                    : new Gemm(_b.Read, dy.Read, da.Write, k, m, n, _transposeB, 1));
                gradients.AddOwned(Input(0), da);
            }
            if (_a is not null)
            {
                var db = gradients.Allocate(Input(1));
                Backend.Run(_transposeB == 0
                    ? new Gemm(_a.Read, dy.Read, db.Write, k, n, m, 1 - _transposeA, 0)
                    : new Gemm(dy.Read, _a.Read, db.Write, n, k, m, 1, _transposeA));
                gradients.AddOwned(Input(1), db);
            }
        }
    }
}
