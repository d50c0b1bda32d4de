using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<SquareStripes>, IKernel<SquareWindow>
{
    private static readonly KernelName
        s_squareStripes = new("squaresearch", "square_stripes"), s_squareWindow = new("squaresearch", "square_window");

    void IKernel<SquareStripes>.Run(in SquareStripes call) =>
        Launch(s_squareStripes, call.Y.Type, BlocksFor((long)call.Rows * Quads(1, call.Width * call.Channels)), call);

    void IKernel<SquareWindow>.Run(in SquareWindow call) => Launch(s_squareWindow, call.Y.Type, BlocksFor(call.Y.Length), call);
}
