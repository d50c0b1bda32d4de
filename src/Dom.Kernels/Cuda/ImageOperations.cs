using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<ImageChains>, IKernel<MixChains>
{
    /// <summary>Two images of bytes in shared memory are at most as long, 84 x 84 pixels of three channels: a multiprocessor then takes several blocks.</summary>
    private const int MostImageBytes = 42 << 10, ImageWorkspaceBytes = 256 * sizeof(uint) + 4 * sizeof(uint) + 256;

    private static readonly KernelName
        s_imageChains = new("imageoperations", "image_chains"), s_mixChains = new("imageoperations", "mix_chains");

    // A block makes a chain.
    void IKernel<ImageChains>.Run(in ImageChains call)
    {
        var grid = BlocksFor(call.Rows, 1);
        long bytes = 2L * call.Height * call.Width * call.Channels;
        bool isShared = bytes <= MostImageBytes;
        Launch(
            s_imageChains, call.Y.Type, call.Rows == 0 ? new Dim3(0) : grid, call, new ImageChainsPlan(isShared ? 0 : Scratch(grid.X * bytes)),
            sharedBytes: ImageWorkspaceBytes + (isShared ? (int)bytes : 0));
    }

    void IKernel<MixChains>.Run(in MixChains call) => Launch(s_mixChains, call.Y.Type, BlocksFor(call.Y.Length), call);

    /// <param name="Scratch">Two images of bytes for each block, or 0: in shared memory.</param>
    private readonly record struct ImageChainsPlan(nint Scratch);
}
