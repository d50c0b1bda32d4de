using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<UniformNoise>, IKernel<NormalNoise>
{
    private static readonly KernelName
        s_uniformNoise = new("noise", "uniform_noise"), s_normalNoise = new("noise", "normal_noise");

    void IKernel<UniformNoise>.Run(in UniformNoise call) => Launch(s_uniformNoise, call.Y.Type, BlocksFor(Quads(call.Rows, call.RowLength)), call);

    void IKernel<NormalNoise>.Run(in NormalNoise call) => Launch(s_normalNoise, call.Y.Type, BlocksFor(Quads(call.Rows, call.RowLength)), call);

    /// <summary>How often four neighbouring numbers of a row, which is what a thread draws, make up the rows.</summary>
    private static long Quads(int rows, int rowLength) => (long)rows * ((rowLength + 3) / 4);
}
