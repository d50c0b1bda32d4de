using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cpu;

// C is cut into blocks, one a task. A task walks along K in steps that fit the caches: it packs the block's part of A and of B into panels,
// transposed operands straightened on the way and edges filled with zeros, and multiplies panel by panel with a tile of C in registers.
// An element of C is one chain of fused multiply-adds per step, the steps added in order: how C is cut cannot change a bit, only the length of a
// step could, and that depends on K alone.
public sealed unsafe partial class CpuBackend : IKernel<Gemm>
{
    void IKernel<Gemm>.Run(in Gemm call)
    {
        if (Vector512.IsHardwareAccelerated)
            Multiply<WideTile>(call);
        else
            Multiply<PortableTile>(call);
    }

    private void Multiply<TTile>(in Gemm call) where TTile : struct, IGemmTile
    {
        const string Name = nameof(Gemm);
        var blocks = new GemmBlocks(call.M, call.N, call.K, TTile.Columns);
        _workers.Run(blocks.Count, new GemmJob<TTile>(
            this, blocks, Floats(call.A, Name), Floats(call.B, Name), Floats(call.C, Name), call.M, call.N, call.K,
            call.TransposeA == 1, call.TransposeB == 1));
    }

    /// <summary>How a product is cut: blocks of C and steps along K. A function of the sizes only.</summary>
    private readonly struct GemmBlocks
    {
        private const int MaxRows = 192, MaxColumns = 512, MaxDepth = 192; // a block of B takes 384 KiB: it stays in the second-level cache
        private const int EnoughTasks = 16, SmallestTask = 1 << 21;        // in multiply-adds: below, packing costs too much

        public GemmBlocks(int m, int n, int k, int tileColumns)
        {
            Rows = Math.Clamp(RoundUp(m, GemmTileRows), GemmTileRows, MaxRows);
            Columns = Math.Clamp(RoundUp(n, tileColumns), tileColumns, MaxColumns);
            int steps = Math.Max(1, Pieces(k, MaxDepth));
            Depth = Math.Max(1, Pieces(k, steps));
            while (Pieces(m, Rows) * Pieces(n, Columns) < EnoughTasks && (long)Rows * Columns * k >= 2 * SmallestTask)
                if (Columns > tileColumns && (Columns >= Rows || Rows == GemmTileRows))
                    Columns = RoundUp(Columns / 2, tileColumns);
                else if (Rows > GemmTileRows)
                    Rows = RoundUp(Rows / 2, GemmTileRows);
                else
                    break;
            BlocksDown = Pieces(m, Rows);
            Count = BlocksDown * Pieces(n, Columns);
        }

        public int Rows { get; }

        public int Columns { get; }

        public int Depth { get; }

        public int BlocksDown { get; }

        public int Count { get; }

        public static int RoundUp(int size, int unit) => Pieces(size, unit) * unit;

        private static int Pieces(int size, int piece) => (size + piece - 1) / piece;
    }

    private readonly struct GemmJob<TTile>(
        CpuBackend backend, GemmBlocks blocks, float* a, float* b, float* c, int m, int n, int k, bool transposeA, bool transposeB) : IJob
        where TTile : struct, IGemmTile
    {
        private readonly float* _a = a, _b = b, _c = c;

        public void Execute(int task, int worker)
        {
            int row = task % blocks.BlocksDown * blocks.Rows, column = task / blocks.BlocksDown * blocks.Columns;
            int rows = Math.Min(blocks.Rows, m - row), columns = Math.Min(blocks.Columns, n - column);
            int packedRows = GemmBlocks.RoundUp(rows, GemmTileRows), packedColumns = GemmBlocks.RoundUp(columns, TTile.Columns);
            float* packedB = backend.ScratchOf(worker).Floats((long)(packedRows + packedColumns) * blocks.Depth);
            float* packedA = packedB + (long)packedColumns * blocks.Depth;
            for (int first = 0; first == 0 || first < k; first += blocks.Depth)
            {
                int depth = Math.Min(blocks.Depth, k - first);
                if (transposeA)
                    GemmPack.Rows(_a + (long)first * m + row, m, depth, rows, GemmTileRows, packedA);
                else
                    GemmPack.Columns(_a + (long)row * k + first, k, depth, rows, GemmTileRows, packedA);
                if (transposeB)
                    GemmPack.Columns(_b + (long)column * k + first, k, depth, columns, TTile.Columns, packedB);
                else
                    GemmPack.Rows(_b + (long)first * n + column, n, depth, columns, TTile.Columns, packedB);
                MultiplyPanels(packedA, packedB, rows, columns, depth, _c + (long)row * n + column, first > 0);
            }
        }

        /// <summary>c (+)= a b for packed panels; a panel of b stays in the first-level cache while the panels of a pass by.</summary>
        private void MultiplyPanels(float* a, float* b, int rows, int columns, int depth, float* c, bool adds)
        {
            float* edge = stackalloc float[GemmTileRows * TTile.Columns];
            for (int j = 0; j < columns; j += TTile.Columns)
                for (int i = 0; i < rows; i += GemmTileRows)
                {
                    float* target = c + (long)i * n + j;
                    int height = Math.Min(GemmTileRows, rows - i), width = Math.Min(TTile.Columns, columns - j);
                    if (height == GemmTileRows && width == TTile.Columns)
                    {
                        TTile.Multiply(a + (long)i * depth, b + (long)j * depth, depth, target, n, adds);
                        continue;
                    }
                    TTile.Multiply(a + (long)i * depth, b + (long)j * depth, depth, edge, TTile.Columns, false);
                    for (int y = 0; y < height; y++)
                        for (int x = 0; x < width; x++)
                            target[(long)y * n + x] = (adds ? target[(long)y * n + x] : 0) + edge[y * TTile.Columns + x];
                }
        }
    }
}
