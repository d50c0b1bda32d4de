using System.Runtime.InteropServices;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<Gemm>
{
    private static readonly KernelName s_gemmLarge = new("gemm", "gemm_128x128"), s_gemmSmall = new("gemm", "gemm_64x64");

    void IKernel<Gemm>.Run(in Gemm call)
    {
        var sizing = new ScratchLayout(0, isPlaced: false);
        Operands(call, ref sizing);
        var scratch = new ScratchLayout(Scratch(sizing.Bytes), isPlaced: true);
        var (a, b) = Operands(call, ref scratch);
        var type = call.C.Type;
        var shape = TileShape.Large.Blocks(call.M, call.N) >= FullDevice ? TileShape.Large : TileShape.Small;
        Launch(
            shape == TileShape.Large ? s_gemmLarge : s_gemmSmall, type, new Dim3(checked((int)shape.Blocks(call.M, call.N))),
            new GemmPlan(a, b, call.C.Address, call.M, call.N, TileShape.Padded(call.K, type), (call.N + shape.Columns - 1) / shape.Columns),
            TileShape.Threads(type), shape.SharedBytes);
    }

    /// <summary>Both operands by rows along k.</summary>
    private (nint A, nint B) Operands(in Gemm call, ref ScratchLayout scratch) => (
        AlongK(call.A, call.M, call.K, call.TransposeA == 1, ref scratch), AlongK(call.B, call.N, call.K, call.TransposeB == 0, ref scratch));

    private nint AlongK(View view, int rows, int k, bool isTransposed, ref ScratchLayout scratch)
    {
        if (!isTransposed)
            return Padded(view, rows, k, ref scratch);
        int padded = TileShape.Padded(k, view.Type);
        nint copy = scratch.Take((long)rows * padded * Dom.Tensors.DTypes.Size(view.Type));
        if (scratch.IsPlaced && k > 0)
            Transpose(view.Address, copy, view.Type, k, 1, rows, padded);
        return copy;
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct GemmPlan(nint A, nint B, nint C, int M, int N, int K, int ColumnTiles);
}
