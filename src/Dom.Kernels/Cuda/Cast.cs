using Dom.Tensors;
using Dom.Tensors.Backend;
using Dom.Tensors.Ops;

namespace Dom.Kernels.Cuda;

public sealed partial class CudaBackend : IKernel<Cast>
{
    // The kernel's name says the type of x, its suffix that of y.
    private static readonly KernelName
        s_castFromF32 = new("cast", "cast_from_f32"), s_castFromBF16 = new("cast", "cast_from_bf16"),
        s_castFromI32 = new("cast", "cast_from_i32"), s_castFromU8 = new("cast", "cast_from_u8");

    void IKernel<Cast>.Run(in Cast call) =>
        Launch(CastFrom(call.X.Type), call.Y.Type, BlocksForPacks(call.X.Bytes > call.Y.Bytes ? call.X : call.Y), call);

    private KernelName CastFrom(DType type) => type switch
    {
        DType.F32 => s_castFromF32,
        DType.BF16 => s_castFromBF16,
        DType.I32 => s_castFromI32,
        DType.U8 => s_castFromU8,
        _ => throw new DeviceException(
            $"{Name}: no kernel for a cast from {type.ToString().ToLowerInvariant()}. It casts from f32, bf16, i32 and u8; only the reference knows f64."),
    };
}
