using System.Runtime.InteropServices;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend
{
    private static readonly KernelName s_pad = new("pack", "pack_pad"), s_transpose = new("pack", "pack_transpose"), s_reduce = new("pack", "pack_reduce"),
        s_reduceMany = new("pack", "pack_reduce_many");

    /// <summary>Rows of <paramref name="columns"/> elements, as rows of <paramref name="padded"/> with zeros behind them.</summary>
    private void Pad(nint source, nint target, DType type, int rows, int columns, int padded) => Launch(
        s_pad, type, BlocksFor((long)rows * padded / TileShape.Chunk(type)), new PadPlan(source, target, rows, columns, padded));

    /// <summary>[rows, depth, columns] -> [columns, depth, padded], the rows padded with zeros.</summary>
    private void Transpose(nint source, nint target, DType type, int rows, int depth, int columns, int padded) => Launch(
        s_transpose, type, new Dim3((columns + 31) / 32, (padded + 31) / 32, depth),
        new TransposePlan(source, target, rows, columns, depth, depth * columns, depth * padded, padded));

    /// <summary>[splits, rows, depth, padded] f32 -> [target rows, depth, columns], the sum over the splits.</summary>
    private void Reduce(nint sums, View target, int splits, int rows, int depth, int padded, int targetRows, int columns)
    {
        var plan = new ReducePlan(sums, target.Address, splits, rows, depth, padded, targetRows, columns);
        if (splits < 16)
            Launch(s_reduce, target.Type, BlocksFor(target.Length), plan);
        else
            Launch(s_reduceMany, target.Type, new Dim3((target.Length + 31) / 32), plan);
    }

    /// <summary>What a kernel may read 16 bytes at a time: the view itself, or a copy with padded rows at the scratch position, which moves on.</summary>
    private nint Padded(View view, int rows, int columns, ref ScratchLayout scratch)
    {
        int padded = TileShape.Padded(columns, view.Type);
        if (padded == columns && view.Address % 16 == 0)
            return view.Address;
        nint copy = scratch.Take((long)rows * padded * view.Type.Size());
        if (scratch.IsPlaced)
            Pad(view.Address, copy, view.Type, rows, columns, padded);
        return copy;
    }

    /// <summary>
    /// Deals out scratch memory. A kernel's preparation runs twice over the same code: once without memory, to learn how much it takes, once with it.
    /// </summary>
    private struct ScratchLayout(nint start, bool isPlaced)
    {
        private long _bytes;

        public readonly bool IsPlaced => isPlaced;

        public readonly long Bytes => _bytes;

        public nint Take(long bytes)
        {
            nint at = start + (nint)_bytes;
            _bytes += (bytes + 255) & ~255L;
            return at;
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct PadPlan(nint Source, nint Target, int Rows, int Columns, int Padded);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TransposePlan(
        nint Source, nint Target, int Rows, int Columns, int Depth, int RowPitch, int TargetPitch, int Padded);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct ReducePlan(nint Sums, nint Target, int Splits, int Rows, int Depth, int Padded, int TargetRows, int Columns);
}
