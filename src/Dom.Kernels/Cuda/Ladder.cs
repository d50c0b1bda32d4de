using System.Runtime.InteropServices;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend
{
    private static readonly LadderKernel[] s_ladder =
    [
        new(new("ladder1_naive", "ladder1_naive"), 32, 8, 256),
        new(new("ladder2_coalesced", "ladder2_coalesced"), 8, 32, 256),
        new(new("ladder3_shared_tiles", "ladder3_shared_tiles"), 32, 32, 1024),
        new(new("ladder4_register_tiles", "ladder4_register_tiles"), 128, 128, 256, ByChunks: true),
        new(new("ladder5_asynchronous", "ladder5_asynchronous"), 128, 128, 256, SharedBytes: 96 << 10, ByChunks: true),
        new(new("ladder6_tensor_cores", "ladder6_tensor_cores"), 128, 128, 128, SharedBytes: 96 << 10, ByChunks: true),
    ];

    /// <summary>Queues rung <paramref name="number"/> of <see cref="GemmLadder"/>. Operands that it reads by 16 bytes are padded in scratch memory first where they have to be.</summary>
    internal void RunRung(int number, View a, View b, View c, int m, int n, int k)
    {
        var rung = s_ladder[number - 1];
        var sizing = new ScratchLayout(0, isPlaced: false);
        Operands(ref sizing);
        var scratch = new ScratchLayout(sizing.Bytes > 0 ? Scratch(sizing.Bytes) : 0, isPlaced: true);
        var (addressOfA, addressOfB) = Operands(ref scratch);
        int columnTiles = (n - 1) / rung.Columns + 1, rowTiles = (m - 1) / rung.Rows + 1;
        Launch(
            rung.Name, a.Type, new Dim3(checked(rowTiles * columnTiles)),
            new LadderPlan(addressOfA, addressOfB, c.Address, m, n, k, Pitch(k), Pitch(n), columnTiles), rung.Threads, rung.SharedBytes);

        (nint, nint) Operands(ref ScratchLayout layout) => rung.ByChunks ? (Padded(a, m, k, ref layout), Padded(b, k, n, ref layout)) : (a.Address, b.Address);

        int Pitch(int columns) => rung.ByChunks ? TileShape.Padded(columns, a.Type) : columns;
    }

    /// <summary>A kernel of the ladder: what a block computes, and with how much.</summary>
    private sealed record LadderKernel(KernelName Name, int Rows, int Columns, int Threads, int SharedBytes = 0, bool ByChunks = false);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct LadderPlan(nint A, nint B, nint C, int M, int N, int K, int APitch, int BPitch, int ColumnTiles);
}
