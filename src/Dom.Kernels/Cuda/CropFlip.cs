using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<CropFlip>
{
    private static readonly KernelName s_cropFlip = new("cropflip", "crop_flip");

    void IKernel<CropFlip>.Run(in CropFlip call) => Launch(s_cropFlip, call.Y.Type, BlocksForPacks(call.Y), call);
}
