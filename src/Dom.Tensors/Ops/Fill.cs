using Dom.Tensors.Backend;

namespace Dom.Tensors.Ops;

/// <summary>y[i] = value.</summary>
public readonly record struct Fill(View Y, float Value) : IKernelCall;

/// <summary>y[i] = x[i], both of one type.</summary>
public readonly record struct Copy(View X, View Y) : IKernelCall;

/// <summary>Tensors of one value.</summary>
public static class Filled
{
    /// <summary>A tensor whose elements are all <paramref name="value"/>.</summary>
    public static Tensor Create(Shape shape, float value, IBackend backend, DType type = DType.F32)
    {
        var tensor = Tensor.Empty(shape, type, backend, "fill");
        backend.Run(new Fill(tensor.Write, value));
        return tensor;
    }
}
