using System.Runtime.InteropServices;
using Dom.Tensors;
using Dom.Tensors.Backend;

namespace Dom.Kernels.Reference;

/// <summary>
/// The executable definition of every kernel call: scalar loops over f64, one element after the other, in the order of the formula. Reads and
/// writes f32, bf16 and f64 elements; with f64 tensors nothing is rounded on the way, which is what gradients are checked with.
/// </summary>
public sealed partial class ReferenceBackend() : HostBackend("reference")
{
    /// <inheritdoc/>
    public override bool Supports(Type call, DType type) => type.IsFloat() && HasKernel(call);

    /// <summary>The elements as f64, whatever the stored type; an empty array for an absent argument.</summary>
    internal static unsafe double[] Load(View view)
    {
        if (view.IsNone)
            return [];
        var values = new double[view.Length];
        void* p = (void*)view.Address;
        for (int i = 0; i < values.Length; i++)
            values[i] = view.Type switch
            {
                DType.F32 => ((float*)p)[i],
                DType.F64 => ((double*)p)[i],
                DType.BF16 => ((BFloat16*)p)[i].ToSingle(),
                DType.I32 => ((int*)p)[i],
                _ => ((byte*)p)[i],
            };
        return values;
    }

    /// <summary>The integers of a view of labels, ids or rows.</summary>
    internal static unsafe int[] LoadIntegers(View view) => new ReadOnlySpan<int>((void*)view.Address, view.Length).ToArray();

    /// <summary>Stores f64 values in the type of the view, rounded to the nearest; does nothing for an absent argument.</summary>
    internal static unsafe void Store(double[] values, View view)
    {
        if (view.IsNone)
            return;
        void* p = (void*)view.Address;
        for (int i = 0; i < view.Length; i++)
            switch (view.Type)
            {
                case DType.F32: ((float*)p)[i] = (float)values[i]; break;
                case DType.F64: ((double*)p)[i] = values[i]; break;
                case DType.BF16: ((BFloat16*)p)[i] = BFloat16.FromSingle((float)values[i]); break;
                case DType.I32: ((int*)p)[i] = (int)values[i]; break;
                default: ((byte*)p)[i] = (byte)values[i]; break;
            }
    }
}
